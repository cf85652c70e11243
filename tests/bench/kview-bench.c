// SPDX-License-Identifier: GPL-2.0-only
/*
 * kview-bench - measures the ways to one region of kernel memory, side by side.
 *
 *   kview-bench MOUNT COPY_MOUNT ROUNDS [short]
 *
 * MOUNT is served in mode direct by a daemon, COPY_MOUNT in mode copy. Prints one JSON
 * object a line: bench, target, unit, the result of each round; or why a target has none.
 * tests/bench/report makes the table from it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "target.h"

#define MIB (UINT64_C(1) << 20)
#define MAX_ROUNDS 64

enum { RAM, VIEW, ANON, KCORE, DEVMEM, COPY, TMPFS, NR_TARGETS };

static struct target targets[NR_TARGETS];

/* How much is measured; less where a clock counts instructions, and noise is small. */
static struct {
	uint64_t map_len;	/* of the mapped rows */
	uint64_t read_len;	/* of the rows that read, a part of the same region */
	int loads, preads;
} amount = { 1024 * MIB, 256 * MIB, 8000000, 50000 };

static uint8_t block[MIB];
static volatile uint64_t sink;	/* keeps the loads from being optimised away */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static long minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/* Nanoseconds for a load of 8 bytes at a random place of the mapping. */
static double random_load(struct target *t)
{
	uint64_t state = 0x9e3779b97f4a7c15, sum = 0;
	double start = now();

	for (int i = 0; i < amount.loads; i++) {
		uint64_t off = next_random(&state) & (amount.map_len - 8);

		sum += *(volatile uint64_t *)(t->map + (off & ~7ULL));
	}
	sink = sum;
	return (now() - start) * 1e9 / amount.loads;
}

/* MiB/s of memcpy in 1 MiB blocks. */
static double copy_from_map(struct target *t)
{
	double start = now();

	for (uint64_t off = 0; off < amount.map_len; off += sizeof(block)) {
		memcpy(block, t->map + off, sizeof(block));
		__asm__ volatile("" : : "r"(block) : "memory");
	}
	return amount.map_len / (double)MIB / (now() - start);
}

/* Page faults taken to touch every page of a new mapping. */
static double count_faults(struct target *t)
{
	uint64_t sum = 0;
	long before;

	if (target_map(t, amount.map_len) < 0)
		return -1;
	before = minor_faults();
	for (uint64_t off = 0; off < amount.map_len; off += 4096)
		sum += *(volatile uint8_t *)(t->map + off);
	sink = sum;
	before = minor_faults() - before;
	target_unmap(t, amount.map_len);
	/* Per GiB. */
	return (double)before * (1024 * MIB) / (double)amount.map_len;
}

/* MiB/s of pread in 1 MiB blocks. */
static double read_blocks(struct target *t)
{
	double start = now();

	for (uint64_t off = 0; off < amount.read_len; off += sizeof(block))
		if (pread(t->fd, block, sizeof(block), t->base + off) != sizeof(block))
			return -1;
	return amount.read_len / (double)MIB / (now() - start);
}

/* Nanoseconds for a pread of 8 bytes at a random place. */
static double read_words(struct target *t)
{
	uint64_t state = 0x2545f4914f6cdd1d, word;
	double start = now();

	for (int i = 0; i < amount.preads; i++) {
		uint64_t off = next_random(&state) & (amount.read_len - 8) & ~7ULL;

		if (pread(t->fd, &word, sizeof(word), t->base + off) != sizeof(word))
			return -1;
	}
	return (now() - start) * 1e9 / amount.preads;
}

struct bench {
	const char *name, *unit;
	double (*run)(struct target *t);
	unsigned int targets;	/* bit mask */
	int needs_map;
};

#define T(x) (1u << (x))
static const struct bench benches[] = {
	{ "faults", "faults/GiB", count_faults, T(RAM) | T(VIEW), 0 },
	{ "load", "ns", random_load, T(RAM) | T(VIEW) | T(ANON), 1 },
	{ "memcpy", "MiB/s", copy_from_map, T(RAM) | T(VIEW) | T(ANON), 1 },
	{ "read", "MiB/s", read_blocks,
	  T(RAM) | T(VIEW) | T(KCORE) | T(DEVMEM) | T(COPY) | T(TMPFS), 0 },
	{ "pread8", "ns", read_words,
	  T(RAM) | T(VIEW) | T(KCORE) | T(DEVMEM) | T(COPY) | T(TMPFS), 0 },
};

static void report(const struct bench *b, const struct target *t, const double *results, int rounds)
{
	printf("{\"bench\": \"%s\", \"target\": \"%s\", \"unit\": \"%s\", ", b->name, t->name, b->unit);
	if (t->why_not[0]) {
		printf("\"why_not\": \"%s\"}\n", t->why_not);
		return;
	}
	printf("\"rounds\": [");
	for (int i = 0; i < rounds; i++)
		printf("%s%.2f", i ? ", " : "", results[i]);
	printf("]}\n");
	fflush(stdout);
}

static void run(const struct bench *b, int rounds)
{
	static double results[NR_TARGETS][MAX_ROUNDS];

	for (int i = 0; i < NR_TARGETS; i++) {
		struct target *t = &targets[i];

		if (!(b->targets & T(i)) || t->why_not[0] || !b->needs_map || i == ANON)
			continue;
		if (target_map(t, amount.map_len) < 0)
			snprintf(t->why_not, sizeof(t->why_not), "mmap: %s", strerror(errno));
	}
	/* Round -1 is a warm-up and is not counted. */
	for (int r = -1; r < rounds; r++) {
		for (int i = 0; i < NR_TARGETS; i++) {
			struct target *t = &targets[i];
			double result;

			if (!(b->targets & T(i)) || t->why_not[0])
				continue;
			result = b->run(t);
			if (result < 0)
				snprintf(t->why_not, sizeof(t->why_not), "%s: %s", b->name,
					 strerror(errno));
			else if (r >= 0)
				results[i][r] = result;
		}
	}
	for (int i = 0; i < NR_TARGETS; i++) {
		if (!(b->targets & T(i)))
			continue;
		report(b, &targets[i], results[i], rounds);
		if (b->needs_map && i != ANON && targets[i].map)
			target_unmap(&targets[i], amount.map_len);
	}
}

int main(int argc, char **argv)
{
	char ram[4096], copy[4096];
	uint64_t paddr, kcore_off;
	int rounds = argc == 4 ? atoi(argv[3]) : 0;

	if (argc == 5 && !strcmp(argv[4], "short")) {
		rounds = atoi(argv[3]);
		amount.map_len = 64 * MIB;
		amount.read_len = 16 * MIB;
		amount.loads = 400000;
		amount.preads = 5000;
	}
	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: kview-bench MOUNT COPY_MOUNT ROUNDS (1 to %d) [short]\n", MAX_ROUNDS);
		return 2;
	}
	snprintf(ram, sizeof(ram), "%s/kcore/ram", argv[1]);
	snprintf(copy, sizeof(copy), "%s/kcore/ram", argv[2]);
	target_find_region(amount.map_len, &paddr, &kcore_off);
	target_open_file(&targets[RAM], "kcore/ram", ram, paddr);
	target_open_view(&targets[VIEW], "module view", paddr, amount.map_len);
	target_open_anon(&targets[ANON], "anonymous 2 MiB pages", amount.map_len);
	target_open_file(&targets[KCORE], "/proc/kcore", "/proc/kcore", kcore_off);
	target_open_file(&targets[DEVMEM], "/dev/mem", "/dev/mem", paddr);
	target_open_file(&targets[COPY], "kcore/ram, copy", copy, paddr);
	target_open_tmpfs(&targets[TMPFS], "tmpfs file", amount.read_len);
	if (targets[RAM].why_not[0]) {
		fprintf(stderr, "kview-bench: %s\n", targets[RAM].why_not);
		return 1;
	}
	for (size_t i = 0; i < sizeof(benches) / sizeof(benches[0]); i++)
		run(&benches[i], rounds);
	return 0;
}
