/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes of pid/N/mincore (mincore_bits.h) as far as the page table of the process determines
 * them: entry by entry, which is complete, or with PAGEMAP_SCAN (Linux 6.7), which is faster but
 * does not know the swap cache.
 */
#ifndef KVFS_PID_PAGETABLE_H
#define KVFS_PID_PAGETABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "pid/kpageflags.h"
#include "pid/swapcache.h"

/* Both are borrowed. */
struct kvfs_pagetable_config {
	struct kvfs_kpageflags *kpf;
	struct kvfs_swapcache *swapcache;	/* NULL: the swap cache cannot be seen */
};

struct kvfs_pagetable;		/* opaque; for one thread at a time */

/*
 * Opens the page table of the address space that the process has now. procdir (process.h) is
 * borrowed for this call. Returns 0 and an object to be closed, -ESRCH if the process has gone, or
 * -errno.
 */
int kvfs_pagetable_open(int procdir, const struct kvfs_pagetable_config *config,
			struct kvfs_pagetable **out);
void kvfs_pagetable_close(struct kvfs_pagetable *table);

/* Checks that the address space still exists: 0, -ESRCH, or -errno. */
int kvfs_pagetable_check(struct kvfs_pagetable *table);

/* A mapping or a part of one: the virtual addresses [start, end), whole pages. */
struct kvfs_pagetable_part {
	uint64_t start, end;
	uint8_t *vec;		/* out: a byte a page, the first for the page at start */
	bool shared;		/* MAP_SHARED */
	bool of_file;
	bool in_page_cache;	/* pages of the file are in its page cache; those of devices are not */
};

/* Sets vec, entry by entry. Returns 0, or -errno and vec is unspecified. */
int kvfs_pagetable_entries(struct kvfs_pagetable *table, const struct kvfs_pagetable_part *part);

/*
 * Sets vec with PAGEMAP_SCAN; only regions in swap, or that look so, are read entry by entry.
 * by_exceptions: the kernel searches for pages that are not present or not of the usual kind, and
 * all others are taken to be present, which costs a quarter. Wrong where there is no mapping or a
 * VM_PFNMAP one, which the kernel does not walk, so the caller must know the mapping.
 * Returns as kvfs_pagetable_entries().
 */
int kvfs_pagetable_scan(struct kvfs_pagetable *table, const struct kvfs_pagetable_part *part,
			bool by_exceptions);

#endif /* KVFS_PID_PAGETABLE_H */
