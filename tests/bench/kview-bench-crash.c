// SPDX-License-Identifier: GPL-2.0-only
/*
 * kview-bench-crash - measures, in a crash kernel, the ways to the crashed one's memory.
 *
 *   kview-bench-crash MOUNT ROUNDS
 *
 * Prints one JSON object a line, as kview-bench does: makedumpfile with what it reads, and
 * reads of the largest segment of /proc/vmcore. Fails if a file of vmcore/ that is measured
 * is not served in mode direct.
 */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define READ_LEN (256 * MIB)
#define MAP_LEN (4 * MIB)	/* what makedumpfile maps at a time */
#define VMCORE "/proc/vmcore"
#define MAX_ROUNDS 64
#define MAX_PHDRS 1024

extern char **environ;

static char core_path[4096], seg_path[4096];
static uint8_t block[MIB];

/* The largest PT_LOAD: its number, which is N of segN, its place in VMCORE, and what of it is read. */
static struct {
	unsigned int nr;
	uint64_t off, len;
} seg;

struct way {
	const char *bench, *target, *unit;
	const char *path;
	double (*run)(const struct way *way);
	const char *option;	/* of makedumpfile, NULL if there is none */
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Seconds that makedumpfile takes. The dump goes nowhere, so no disk is measured. */
static double make_dump(const struct way *way)
{
	char *argv[] = { "makedumpfile", "-F", "-l", "-d", "31", NULL, NULL, NULL };
	posix_spawn_file_actions_t files;
	double start = now();
	int argc = 5, status;
	pid_t pid;

	if (way->option)
		argv[argc++] = (char *)way->option;
	argv[argc] = (char *)way->path;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &files, NULL, argv, environ) != 0)
		err(1, "makedumpfile");
	posix_spawn_file_actions_destroy(&files);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		errx(1, "makedumpfile of %s failed", way->path);
	return now() - start;
}

static int open_at_segment(const char *path, uint64_t *off)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	*off = path == seg_path ? 0 : seg.off;
	return fd;
}

/* MiB/s of pread in 1 MiB blocks. */
static double read_blocks(const struct way *way)
{
	uint64_t base;
	int fd = open_at_segment(way->path, &base);
	double start = now();

	for (uint64_t off = 0; off < seg.len; off += sizeof(block))
		if (pread(fd, block, sizeof(block), (off_t)(base + off)) != sizeof(block))
			err(1, "%s", way->path);
	start = now() - start;
	close(fd);
	return (double)seg.len / (double)MIB / start;
}

/* MiB/s of memcpy from short mappings, in 1 MiB blocks. */
static double copy_from_maps(const struct way *way)
{
	uint64_t base;
	int fd = open_at_segment(way->path, &base);
	double start = now();

	for (uint64_t off = 0; off < seg.len; off += MAP_LEN) {
		uint8_t *map = mmap(NULL, MAP_LEN, PROT_READ, MAP_PRIVATE, fd, (off_t)(base + off));

		if (map == MAP_FAILED)
			err(1, "mmap of %s", way->path);
		for (uint64_t at = 0; at < MAP_LEN; at += sizeof(block)) {
			memcpy(block, map + at, sizeof(block));
			__asm__ volatile("" : : "r"(block) : "memory");
		}
		munmap(map, MAP_LEN);
	}
	start = now() - start;
	close(fd);
	return (double)seg.len / (double)MIB / start;
}

/* Ways of one benchmark must be adjacent: main() measures them in turn. */
#define DUMP "makedumpfile -l -d 31"
#define READ "read of a segment"
#define COPY "memcpy of a segment, mapped"
static const struct way ways[] = {
	{ READ, "vmcore/segN", "MiB/s", seg_path, read_blocks, NULL },
	{ READ, "vmcore/core", "MiB/s", core_path, read_blocks, NULL },
	{ READ, VMCORE, "MiB/s", VMCORE, read_blocks, NULL },
	{ COPY, "vmcore/segN", "MiB/s", seg_path, copy_from_maps, NULL },
	{ COPY, VMCORE, "MiB/s", VMCORE, copy_from_maps, NULL },
	{ DUMP, "vmcore/core", "s", core_path, make_dump, NULL },
	{ DUMP, VMCORE, "s", VMCORE, make_dump, NULL },
	{ DUMP, VMCORE " --non-mmap", "s", VMCORE, make_dump, "--non-mmap" },
};
#define NR_WAYS (sizeof(ways) / sizeof(ways[0]))

static void find_segment(void)
{
	static Elf64_Phdr phdrs[MAX_PHDRS];
	unsigned int nr = 0;
	Elf64_Ehdr eh;
	size_t len;
	int fd = open(VMCORE, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, &eh, sizeof(eh), 0) != sizeof(eh))
		err(1, VMCORE);
	len = eh.e_phnum * sizeof(phdrs[0]);
	if (eh.e_phnum > MAX_PHDRS || pread(fd, phdrs, len, (off_t)eh.e_phoff) != (ssize_t)len)
		errx(1, VMCORE ": no program headers");
	close(fd);
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		if (phdrs[i].p_type != PT_LOAD)
			continue;
		if (phdrs[i].p_filesz > seg.len) {
			seg.nr = nr;
			seg.off = phdrs[i].p_offset;
			seg.len = phdrs[i].p_filesz;
		}
		nr++;
	}
	seg.len = (seg.len < READ_LEN ? seg.len : READ_LEN) / MAP_LEN * MAP_LEN;
	if (seg.len == 0)
		errx(1, VMCORE ": no segment of %" PRIu64 " MiB", MAP_LEN / MIB);
}

static void require_direct(const char *path)
{
	char mode[32] = "";

	if (getxattr(path, "user.kview.mode", mode, sizeof(mode) - 1) < 0)
		err(1, "%s", path);
	if (strcmp(mode, "direct") != 0)
		errx(1, "%s is served in mode %s, not direct", path, mode);
}

static void report(const struct way *way, const double *results, int rounds)
{
	printf("{\"bench\": \"%s\", \"target\": \"%s\", \"unit\": \"%s\", \"rounds\": [", way->bench,
	       way->target, way->unit);
	for (int i = 0; i < rounds; i++)
		printf("%s%.3f", i ? ", " : "", results[i]);
	printf("]}\n");
	fflush(stdout);
}

/* The ways [way, way + nr) take turns, so that all of them see the same machine. */
static void compare(const struct way *way, size_t nr, int rounds)
{
	static double results[NR_WAYS][MAX_ROUNDS];

	/* Round -1 is a warm-up and is not counted. */
	for (int r = -1; r < rounds; r++) {
		for (size_t i = 0; i < nr; i++) {
			double result = way[i].run(&way[i]);

			if (r >= 0)
				results[i][r] = result;
		}
	}
	for (size_t i = 0; i < nr; i++)
		report(&way[i], results[i], rounds);
}

int main(int argc, char **argv)
{
	int rounds = argc == 3 ? atoi(argv[2]) : 0;
	size_t end;

	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: kview-bench-crash MOUNT ROUNDS (1 to %d)\n", MAX_ROUNDS);
		return 2;
	}
	find_segment();
	snprintf(core_path, sizeof(core_path), "%s/vmcore/core", argv[1]);
	snprintf(seg_path, sizeof(seg_path), "%s/vmcore/seg%u", argv[1], seg.nr);
	require_direct(core_path);
	require_direct(seg_path);
	for (size_t start = 0; start < NR_WAYS; start = end) {
		for (end = start + 1; end < NR_WAYS && !strcmp(ways[end].bench, ways[start].bench);)
			end++;
		compare(&ways[start], end - start, rounds);
	}
	return 0;
}
