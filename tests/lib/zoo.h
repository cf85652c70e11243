/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process with mappings of every kind, for tests that look at it from outside. It changes
 * nothing by itself, and calls mincore(2) on its own mappings when asked to.
 */
#ifndef TESTS_ZOO_H
#define TESTS_ZOO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ZOO_MAX_MAPPINGS 1024
#define ZOO_MAX_PAGES (1024 * 1024)	/* in all mappings together */

struct zoo_mapping {
	uint64_t start, end;		/* as /proc/self/maps says */
	size_t vec_at;			/* of the first page, in vec */
	int error;			/* errno of mincore(2), 0 if it answered; E2BIG: not asked */
	char name[64];			/* "file: resident, not mapped", or the name in maps */
};

/* Memory shared with the process. */
struct zoo_report {
	size_t nr_mappings;
	struct zoo_mapping mappings[ZOO_MAX_MAPPINGS];
	size_t nr_missing;
	char missing[32][128];		/* kinds that this machine lacks, and why */
	uint64_t pattern_addr;		/* a page filled with 0xa5 */
	uint8_t vec[ZOO_MAX_PAGES];
};

struct zoo {
	pid_t pid;
	int to, from;			/* pipes */
	struct zoo_report *report;
};

/*
 * Starts the process. dir: a folder on a disk file system, for files that can be dropped from
 * the page cache. swap: put pages into swap space, which must exist. Exits with a message on
 * failure.
 */
void zoo_start(struct zoo *zoo, const char *dir, bool swap);

/* Lets the process look at itself again: the report is filled in. */
void zoo_look(struct zoo *zoo);

/* Ends the process. */
void zoo_stop(struct zoo *zoo);

#endif /* TESTS_ZOO_H */
