/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One region of memory, reached in several ways. Each way is a target; a benchmark measures
 * the targets in turn, so that all of them see the same machine.
 */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <stdint.h>

struct target {
	const char *name;	/* in the report */
	int fd;			/* -1: memory only (the anonymous buffer) */
	uint64_t base;		/* offset of the region's first byte in fd */
	uint8_t *map;		/* the region mapped, NULL if it cannot be */
	char why_not[128];	/* why the target cannot be used; "" if it can */
};

/*
 * Finds a region of len bytes of System RAM, aligned to 1 GiB if there is one and to 2 MiB
 * if not, that lies in one PT_LOAD of /proc/kcore. *kcore_off is its place in /proc/kcore.
 * Exits with a message if there is none.
 */
void target_find_region(uint64_t len, uint64_t *paddr, uint64_t *kcore_off);

/* A file that shows the region at base. Never fails: why_not holds the reason. */
void target_open_file(struct target *t, const char *name, const char *path, uint64_t base);

/* A view of the module itself, without FUSE: offset = physical address. */
void target_open_view(struct target *t, const char *name, uint64_t paddr, uint64_t len);

/* A new file on tmpfs with len bytes of data. */
void target_open_tmpfs(struct target *t, const char *name, uint64_t len);

/* An anonymous buffer of len bytes in 2 MiB pages, touched. Sets why_not if the pages are smaller. */
void target_open_anon(struct target *t, const char *name, uint64_t len);

/* Maps [base, base + len) shared and read-only, on a 2 MiB boundary. 0 or -errno. */
int target_map(struct target *t, uint64_t len);
void target_unmap(struct target *t, uint64_t len);

#endif /* BENCH_TARGET_H */
