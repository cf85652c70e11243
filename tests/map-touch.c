// SPDX-License-Identifier: GPL-2.0-only
/*
 * map-touch FILE START LEN - maps [START, START + LEN) of FILE, touches every page and
 * prints `key value` lines:
 *
 *   bytes      LEN
 *   faults     page faults
 *   huge       bytes that huge page table entries map, at least
 *   compared   pages, spread over the range, of which read(2) and the mapping were compared
 *   equal      how many of them were the same; memory in use may change in between
 *   nonzero    how many of them were not all zeros
 *
 * START is a multiple of the page size. Exit status 1, with the cause, if FILE cannot be
 * opened, mapped or read.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define PAGE		4096UL
#define PMD		(2UL << 20)
#define NR_COMPARED	64UL

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* Bytes of this process's page tables. */
static unsigned long page_tables(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long kib = 0;
	char line[256];

	if (!status)
		err(1, "/proc/self/status");
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "VmPTE: %lu", &kib) == 1)
			break;
	fclose(status);
	return kib * 1024;
}

static void touch(const volatile unsigned char *map, unsigned long len)
{
	for (unsigned long off = 0; off < len; off += PAGE)
		(void)map[off];
}

static void compare(int fd, const unsigned char *map, unsigned long start, unsigned long len)
{
	static const unsigned char zeros[PAGE];
	unsigned char page[PAGE];
	unsigned long nr = len / PAGE, equal = 0, nonzero = 0;

	if (nr > NR_COMPARED)
		nr = NR_COMPARED;
	for (unsigned long i = 0; i < nr; i++) {
		unsigned long off = len / nr / PAGE * PAGE * i;
		ssize_t got = pread(fd, page, PAGE, (off_t)(start + off));

		if (got != (ssize_t)PAGE)
			errx(1, "read at %#lx: %s", start + off,
			     got < 0 ? strerror(errno) : "short");
		equal += !memcmp(page, map + off, PAGE);
		nonzero += !!memcmp(page, zeros, PAGE);
	}
	printf("compared %lu\nequal %lu\nnonzero %lu\n", nr, equal, nonzero);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 0);
	if (errno || *end || end == text || n % PAGE)
		errx(1, "'%s' is not a multiple of the page size", text);
	return n;
}

int main(int argc, char **argv)
{
	unsigned long start, len, tables, small;
	const unsigned char *map;
	long nr;
	int fd;

	if (argc != 4)
		errx(1, "usage: map-touch FILE START LEN");
	start = number(argv[2]);
	len = number(argv[3]);
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", argv[1]);
	map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)start);
	if (map == MAP_FAILED)
		err(1, "mmap %s at %#lx, length %#lx", argv[1], start, len);

	tables = page_tables();
	nr = faults();
	touch(map, len);
	nr = faults() - nr;
	/* A page of page table maps 2 MiB at most; the rest is mapped by huge entries. */
	small = (page_tables() - tables) / PAGE * PMD;
	printf("bytes %lu\nfaults %ld\nhuge %lu\n", len, nr, small < len ? len - small : 0);
	compare(fd, map, start, len);
	return 0;
}
