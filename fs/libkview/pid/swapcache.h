/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which swap entries have their page in the swap cache. The kernel has no interface for this
 * question, but for its inverse: /proc/kpageflags says which pages are in the swap cache, and
 * page.private in the struct page of each, which /proc/kcore shows, is its swap entry. So a table
 * of all such entries is made at once. That takes some 10 ms for each GiB of RAM, so the table is
 * kept for a short time.
 */
#ifndef KVFS_PID_SWAPCACHE_H
#define KVFS_PID_SWAPCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "kernel/memmap.h"

struct kvfs_swapcache;		/* opaque; any number of threads may use it */

/* Paths of the files that tables are made from, borrowed for the life of the object. */
struct kvfs_swapcache_config {
	const char *kcore;
	const char *kpageflags;
};

/*
 * Returns 0 and an object to be destroyed, or -errno and a message that says why the swap cache
 * cannot be seen: no /proc/kcore, lockdown, a VMCOREINFO that does not describe struct page.
 */
int kvfs_swapcache_create(const struct kvfs_swapcache_config *config, struct kvfs_swapcache **out,
			  struct kvfs_err *err);
void kvfs_swapcache_destroy(struct kvfs_swapcache *cache);	/* NULL is allowed */

struct kvfs_swapcache_table;

/*
 * Gets the table of this moment or of a short time ago: at most 50 ms, or ten times what it took to
 * make. Returns 0 and a table to be put back, or -errno if it cannot be made.
 */
int kvfs_swapcache_get(struct kvfs_swapcache *cache, struct kvfs_swapcache_table **out);
void kvfs_swapcache_put(struct kvfs_swapcache *cache, struct kvfs_swapcache_table *table);

/*
 * Tells whether the page of a pagemap entry of state KVFS_PAGEMAP_SWAP is in the swap cache and up
 * to date. table may be NULL: false.
 */
bool kvfs_swapcache_has(const struct kvfs_swapcache_table *table, uint64_t entry);

/*
 * Finds x86-64's vmemmap: the virtual address of the struct page of PFN 0, 1 GiB aligned. Its parts
 * are the segments of /proc/kcore that have page_len bytes for each page of a range of RAM.
 * Returns 0 and *base, or -ENODATA if there is none. Pure.
 */
int kvfs_swapcache_find_vmemmap(const struct kvfs_memmap *map, uint64_t page_len, uint64_t *base);

#endif /* KVFS_PID_SWAPCACHE_H */
