// SPDX-License-Identifier: GPL-2.0-only
/*
 * kview-bench-dump - measures the reading of saved dumps through a mount, and without it.
 *
 *   kview-bench-dump ELF ELF_MOUNT ZSTD ZSTD_MOUNT ROUNDS
 *
 * ELF is a plain dump, ZSTD a kdump-compressed one of the same memory; each is mounted. ZSTD is
 * also read by libkdumpfile and by libkview. The page cache of ZSTD_MOUNT is dropped before each
 * round, so that every page is decompressed again; the others stay warm. Output as that of
 * kview-bench.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libkdumpfile/kdumpfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libkview.h"

#define MIB (UINT64_C(1) << 20)
#define MAX_ROUNDS 64

static uint8_t block[MIB];

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "kview-bench-dump: %s: %s\n", what, why);
	exit(1);
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path, strerror(errno));
	return fd;
}

/* MiB/s of read(2) in blocks of 1 MiB, as dd bs=1M does it, from the start to the end. */
static double read_file(int fd)
{
	uint64_t sum = 0;
	double start = now();
	ssize_t n;

	while ((n = pread(fd, block, sizeof(block), (off_t)sum)) > 0)
		sum += (uint64_t)n;
	if (n < 0)
		die("read", strerror(errno));
	return (double)sum / MIB / (now() - start);
}

static double read_uncached(int fd)
{
	if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
		die("posix_fadvise", "the page cache keeps what was read");
	return read_file(fd);
}

/* The memory that a core has: its last PT_LOAD. */
static void find_memory(int fd, uint64_t *paddr, uint64_t *len)
{
	Elf64_Ehdr ehdr;
	Elf64_Phdr ph = { 0 };

	if (pread(fd, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr))
		die("ELF header", "too short");
	for (unsigned int i = 0; i < ehdr.e_phnum; i++)
		if (pread(fd, &ph, sizeof(ph), (off_t)(ehdr.e_phoff + i * sizeof(ph))) != sizeof(ph))
			die("program header", "too short");
	if (ph.p_type != PT_LOAD || ph.p_filesz < MIB)
		die("program headers", "the last is no memory");
	*paddr = ph.p_paddr;
	*len = ph.p_filesz;
}

/* MiB/s of one thread that calls libkdumpfile in a loop, 1 MiB at a time. */
static double read_library(const char *path, uint64_t paddr, uint64_t len)
{
	kdump_ctx_t *ctx = kdump_new();
	int fd = open_file(path);
	double start, seconds;

	if (!ctx || kdump_open_fdset(ctx, 1, &fd) != KDUMP_OK)
		die(path, ctx ? kdump_get_err(ctx) : "out of memory");
	start = now();
	for (uint64_t off = 0; off < len; off += sizeof(block)) {
		size_t n = len - off < sizeof(block) ? (size_t)(len - off) : sizeof(block);

		if (kdump_read(ctx, KDUMP_MACHPHYSADDR, paddr + off, block, &n) != KDUMP_OK)
			die(path, kdump_get_err(ctx));
	}
	seconds = now() - start;
	kdump_free(ctx);
	close(fd);
	return (double)len / MIB / seconds;
}

/* The same by libkview, without a mount: one thread asks, and libkview decompresses ahead of it. */
static double read_libkview(const char *path, uint64_t paddr, uint64_t len)
{
	struct kview_error error;
	struct kview_file *file;
	struct kview *kview;
	char options[4096];
	double start, seconds;

	snprintf(options, sizeof(options), "module=no,vmcore=%s", path);
	if (kview_open(options, &kview, &error) < 0 || kview_file_open(kview, "vmcore/ram", &file, &error) < 0)
		die("libkview", error.msg);
	start = now();
	for (uint64_t off = 0; off < len; off += sizeof(block)) {
		size_t n = len - off < sizeof(block) ? (size_t)(len - off) : sizeof(block);

		if (kview_file_pread(file, block, n, paddr + off) != (ssize_t)n)
			die(path, "libkview cannot read it");
	}
	seconds = now() - start;
	kview_file_close(file);
	kview_close(kview);
	return (double)len / MIB / seconds;
}

enum { ELF_FILE, ELF_VIEW, LIBRARY, LIBKVIEW, ZSTD_VIEW, NR_TARGETS };

static const struct { const char *bench, *target; } rows[NR_TARGETS] = {
	[ELF_FILE] = { "plain ELF dump", "the dump file" },
	[ELF_VIEW] = { "plain ELF dump", "vmcore/core" },
	[LIBRARY] = { "zstd dump", "libkdumpfile, one thread" },
	[LIBKVIEW] = { "zstd dump", "libkview, without a mount" },
	[ZSTD_VIEW] = { "zstd dump", "vmcore/core" },
};

static int open_core(const char *mount)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/vmcore/core", mount);
	return open_file(path);
}

int main(int argc, char **argv)
{
	static double results[NR_TARGETS][MAX_ROUNDS];
	int rounds = argc == 6 ? atoi(argv[5]) : 0, elf, elf_view, zstd_view;
	uint64_t paddr, len;

	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: kview-bench-dump ELF ELF_MOUNT ZSTD ZSTD_MOUNT ROUNDS (1 to %d)\n",
			MAX_ROUNDS);
		return 2;
	}
	elf = open_file(argv[1]);
	elf_view = open_core(argv[2]);
	zstd_view = open_core(argv[4]);
	find_memory(elf, &paddr, &len);
	for (int r = -1; r < rounds; r++) {	/* round -1 warms up */
		const double speeds[NR_TARGETS] = {
			[ELF_FILE] = read_file(elf),
			[ELF_VIEW] = read_file(elf_view),
			[LIBRARY] = read_library(argv[3], paddr, len),
			[LIBKVIEW] = read_libkview(argv[3], paddr, len),
			[ZSTD_VIEW] = read_uncached(zstd_view),
		};

		for (int i = 0; r >= 0 && i < NR_TARGETS; i++)
			results[i][r] = speeds[i];
	}
	for (int i = 0; i < NR_TARGETS; i++) {
		printf("{\"bench\": \"%s\", \"target\": \"%s\", \"unit\": \"MiB/s\", \"rounds\": [",
		       rows[i].bench, rows[i].target);
		for (int r = 0; r < rounds; r++)
			printf("%s%.2f", r ? ", " : "", results[i][r]);
		printf("]}\n");
	}
	return 0;
}
