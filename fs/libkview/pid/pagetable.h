/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the page table of a process tells of the pages of a mapping, in residency's terms
 * (residencybits.h): entry by entry, which tells all, or with PAGEMAP_SCAN (Linux 6.7), which is
 * faster but does not know the swap cache.
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
	struct kvfs_swapcache *swapcache;	/* NULL: it cannot be seen */
};

struct kvfs_pagetable;		/* opaque; for one thread at a time */

/*
 * procdir: the process (procfs.h), borrowed. Returns 0 and an object to be closed, -ESRCH if the
 * process has gone, or -errno.
 */
int kvfs_pagetable_open(int procdir, const struct kvfs_pagetable_config *config,
			struct kvfs_pagetable **out);
void kvfs_pagetable_close(struct kvfs_pagetable *table);

/* Returns 0, -ESRCH if the address space has gone, or -errno. */
int kvfs_pagetable_check(struct kvfs_pagetable *table);

/* A mapping, or a part of one, in bytes of virtual address; whole pages. */
struct kvfs_pagetable_part {
	uint64_t start, end;
	uint8_t *vec;		/* of the page at start: a byte a page, all of which are set */
	bool shared;
	bool of_file;
	bool in_page_cache;	/* what is the file's here is in its page cache; a device's is not */
};

/* Returns 0, or -errno and vec is unspecified. */
int kvfs_pagetable_entries(struct kvfs_pagetable *table, const struct kvfs_pagetable_part *part);

/*
 * The same with PAGEMAP_SCAN; only what is in swap, or looks so, is looked at entry by entry.
 * by_exceptions: the kernel is asked for what is not as the mapping would have it, which costs
 * it a quarter. Where there is no such mapping, or one that it never walks (VM_PFNMAP), pages
 * are then taken to be there, so the caller has to be sure of it.
 */
int kvfs_pagetable_scan(struct kvfs_pagetable *table, const struct kvfs_pagetable_part *part,
			bool by_exceptions);

#endif /* KVFS_PID_PAGETABLE_H */
