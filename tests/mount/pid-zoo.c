// SPDX-License-Identifier: GPL-2.0-only
/*
 * pid-zoo PIDDIR DIR [swap|swap-unseen] - for a process with mappings of every kind, compares
 * pid/N with /proc/N/pagemap and with mincore(2) in the process itself, page by page. Prints
 * a line for each comparison: "pass NAME", "fail NAME: DETAILS" or "skip NAME". With
 * swap-unseen, where the daemon cannot see the swap cache (docs/views.md), anonymous pages
 * in swap may be in it, and a line "note" has their number.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zoo.h"

#define PAGE UINT64_C(4096)
#define MAX_TRIES 5	/* the kernel may move and drop pages between two looks */

enum { RESIDENT = 1, MAPPED = 2, ANON = 4, PAGECACHE = 8, SWAPCACHE = 16, SWAPPED = 32 };

static int view_pagemap, proc_pagemap, view_mincore;
static char detail[256];
static bool swap_unseen;
static size_t nr_in_swap_cache;

static int open_file(const char *dir, pid_t pid, const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%d/%s", dir, pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		printf("fail open %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return fd;
}

static bool same_pagemap(const struct zoo_mapping *m, const uint8_t *vec)
{
	size_t n = (m->end - m->start) / PAGE;
	off_t off = (off_t)(m->start / PAGE * 8);
	uint64_t *want = malloc(n * 8), *got = malloc(n * 8);
	ssize_t read_want, read_got;
	bool same;

	read_want = pread(proc_pagemap, want, n * 8, off);
	read_got = pread(view_pagemap, got, n * 8, off);
	same = read_want == read_got && read_got == (ssize_t)(n * 8) && !memcmp(want, got, n * 8);
	if (!same)
		snprintf(detail, sizeof(detail), "%zd bytes, /proc has %zd, or other ones", read_got, read_want);
	free(want);
	free(got);
	return same;
}

static bool same_mincore(const struct zoo_mapping *m, const uint8_t *vec)
{
	size_t n = (m->end - m->start) / PAGE;
	uint8_t *got = malloc(n);
	bool same = pread(view_mincore, got, n, (off_t)(m->start / PAGE)) == (ssize_t)n;

	for (size_t i = 0; i < n && same; i++) {
		same = (got[i] & RESIDENT) == (vec[m->vec_at + i] & 1);
		if (!same && swap_unseen && got[i] == (SWAPPED | ANON)) {
			nr_in_swap_cache++;
			same = true;
		}
		if (!same)
			snprintf(detail, sizeof(detail), "page %zu of %zu is %#x, mincore(2) says %u", i, n,
				 got[i], vec[m->vec_at + i]);
	}
	free(got);
	return same;
}

/* Bits 1 to 5 agree with pagemap and with each other. */
static bool sane_bits(const struct zoo_mapping *m, const uint8_t *vec)
{
	size_t n = (m->end - m->start) / PAGE;
	uint64_t *entries = malloc(n * 8);
	uint8_t *got = malloc(n);
	bool sane = pread(view_mincore, got, n, (off_t)(m->start / PAGE)) == (ssize_t)n &&
		    pread(proc_pagemap, entries, n * 8, (off_t)(m->start / PAGE * 8)) == (ssize_t)(n * 8);

	for (size_t i = 0; i < n && sane; i++) {
		uint8_t bits = got[i];
		bool present = entries[i] >> 63, swapped = entries[i] >> 62 & 1 && (entries[i] & 31) < 23;

		sane = !(bits & 0xc0) && !(bits & MAPPED) == !present &&
		       (!(bits & MAPPED) || (bits & RESIDENT)) &&
		       (!swapped || (bits & (SWAPPED | ANON)) == (SWAPPED | ANON)) &&
		       (!(bits & SWAPCACHE) || (bits & RESIDENT)) &&
		       (!(bits & PAGECACHE) || ((bits & RESIDENT) && !(bits & ANON))) &&
		       (!(bits & SWAPPED) || !(bits & MAPPED)) &&
		       (!(bits & ANON) || present || entries[i] >> 62 & 1);
		if (!sane)
			snprintf(detail, sizeof(detail), "page %zu of %zu is %#x, pagemap has %#" PRIx64, i, n,
				 bits, entries[i]);
	}
	free(entries);
	free(got);
	return sane;
}

static const struct {
	const char *name;
	bool (*holds)(const struct zoo_mapping *m, const uint8_t *vec);
	bool needs_mincore;
} checks[] = {
	{ "pagemap", same_pagemap, false },
	{ "mincore, bit 0", same_mincore, true },
	{ "mincore, bits 1 to 5", sane_bits, false },
};

static bool check(struct zoo *zoo, size_t c, const struct zoo_mapping *m)
{
	bool holds = false;

	if (m->error == E2BIG || (m->error && checks[c].needs_mincore))
		return true;
	for (int tries = 0; tries < MAX_TRIES && !holds; tries++) {
		if (tries)
			zoo_look(zoo);
		holds = checks[c].holds(m, zoo->report->vec);
	}
	if (!holds)
		printf("fail %s: %s at %#" PRIx64 ": %s\n", checks[c].name, m->name, m->start, detail);
	return holds;
}

/* Checks every mapping. Returns the number of those that failed. */
static int check_all(struct zoo *zoo)
{
	int failed = 0;

	for (size_t i = 0; i < zoo->report->nr_mappings; i++) {
		const struct zoo_mapping *m = &zoo->report->mappings[i];
		bool user = m->start < UINT64_C(1) << 56, holds = true;

		for (size_t c = 0; user && c < sizeof(checks) / sizeof(checks[0]); c++)
			holds &= check(zoo, c, m);
		failed += !holds;
		if (user && holds)
			printf("pass %s\n", m->name[0] ? m->name : "no name");
	}
	return failed;
}

int main(int argc, char **argv)
{
	struct zoo zoo;
	int failed;

	if (argc < 3) {
		fprintf(stderr, "usage: pid-zoo PIDDIR DIR [swap|swap-unseen]\n");
		return 2;
	}
	swap_unseen = argc > 3 && !strcmp(argv[3], "swap-unseen");
	zoo_start(&zoo, argv[2], argc > 3);
	zoo_look(&zoo);
	proc_pagemap = open_file("/proc", zoo.pid, "pagemap");
	view_pagemap = open_file(argv[1], zoo.pid, "pagemap");
	view_mincore = open_file(argv[1], zoo.pid, "mincore");
	for (size_t i = 0; i < zoo.report->nr_missing; i++)
		printf("skip %s\n", zoo.report->missing[i]);
	failed = check_all(&zoo);
	if (nr_in_swap_cache)
		printf("note %zu anonymous pages in swap are in the swap cache as well\n", nr_in_swap_cache);
	zoo_stop(&zoo);
	return failed ? 1 : 0;
}
