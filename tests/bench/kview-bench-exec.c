// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a read of 8 bytes of /proc/kcore costs, by the kind of address. Run plainly the kernel
 * answers, run by kview-exec the library does. Prints one JSON object a line.
 *
 * usage: kview-bench-exec TARGET ROUNDS
 */
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NR_READS 20000
#define MAX_ROUNDS 64
#define START_KERNEL_MAP 0xffffffff80000000ULL

/* Places of one kind that hold something, in /proc/kcore. */
struct places {
	const char *name;
	uint64_t off[64];
	size_t n;
};

static long by_kernel(int fd, void *buf, size_t len, uint64_t off)
{
	return syscall(SYS_pread64, fd, buf, len, off);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Looks in a segment for words that are not zero, a page apart. */
static void find_places(int fd, const Elf64_Phdr *ph, struct places *places)
{
	uint64_t step = ph->p_filesz < 1 << 26 ? 4096 : 65536;

	for (uint64_t at = 64; at < ph->p_filesz && at < UINT64_C(1) << 30 && places->n < 64; at += step) {
		uint64_t word = 0;

		if (by_kernel(fd, &word, sizeof(word), ph->p_offset + at) == sizeof(word) && word)
			places->off[places->n++] = ph->p_offset + at;
	}
}

static uint64_t read_all(int fd, const struct places *places)
{
	uint64_t start = now_ns(), word;

	for (size_t i = 0; i < NR_READS; i++)
		if (pread(fd, &word, sizeof(word), (off_t)places->off[i % places->n]) != sizeof(word))
			exit(1);
	return now_ns() - start;
}

static void measure(int fd, const struct places *places, const char *target, int rounds)
{
	if (!places->n)
		return;
	read_all(fd, places);
	printf("{\"bench\": \"pread8 of %s\", \"target\": \"%s\", \"unit\": \"ns\", \"rounds\": [", places->name,
	       target);
	for (int i = 0; i < rounds; i++)
		printf("%s%.1f", i ? ", " : "", (double)read_all(fd, places) / NR_READS);
	printf("]}\n");
}

int main(int argc, char *argv[])
{
	struct places ram = { .name = "RAM" }, image = { .name = "the image" }, tables = { .name = "vmalloc" };
	int rounds = argc == 3 ? atoi(argv[2]) : 0;
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr ehdr;

	if (rounds < 1 || rounds > MAX_ROUNDS || fd < 0 || by_kernel(fd, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr)) {
		fprintf(stderr, "usage: kview-bench-exec TARGET ROUNDS, as root\n");
		return 2;
	}
	for (int i = 0; i < ehdr.e_phnum; i++) {
		Elf64_Phdr ph;

		if (by_kernel(fd, &ph, sizeof(ph), ehdr.e_phoff + (uint64_t)i * sizeof(ph)) != sizeof(ph))
			return 1;
		if (ph.p_type != PT_LOAD)
			continue;
		if (ph.p_paddr == UINT64_MAX)
			find_places(fd, &ph, &tables);
		else
			find_places(fd, &ph, ph.p_vaddr >= START_KERNEL_MAP ? &image : &ram);
	}
	measure(fd, &ram, argv[1], rounds);
	measure(fd, &image, argv[1], rounds);
	measure(fd, &tables, argv[1], rounds);
	return 0;
}
