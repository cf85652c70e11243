/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which places in swap have their page in memory still, or again: the swap cache. No interface
 * tells. But /proc/kpageflags says which pages are in it, and the structure that the
 * kernel keeps of such a page, which /proc/kcore shows, holds the page's place in swap. So a
 * table is made the other way round, of all of them at once; it is used for a short time, as
 * to make it takes some 10 ms for each GiB of RAM.
 */
#ifndef KVFS_PID_SWAPCACHE_H
#define KVFS_PID_SWAPCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "kernel/memmap.h"

struct kvfs_swapcache;		/* opaque; any number of threads may use it */

/* The files it is made from are named for tests; the defaults are /proc's. They are borrowed. */
struct kvfs_swapcache_config {
	const char *kcore;
	const char *kpageflags;
};

/*
 * Returns 0 and an object to be destroyed, or -errno and why the swap cache cannot be seen:
 * no /proc/kcore, lockdown, a kernel whose VMCOREINFO does not describe struct page.
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
 * Whether the page of a pagemap entry that is in swap (pagemap.h) is in the swap cache and up to
 * date. table may be NULL: false.
 */
bool kvfs_swapcache_has(const struct kvfs_swapcache_table *table, uint64_t entry);

/*
 * The virtual address of struct page of page 0: x86-64's vmemmap, 1 GiB aligned, of which
 * /proc/kcore has a segment for each range of RAM, as long as page_len bytes a page make it.
 * Returns 0, or -ENODATA if there is none. Pure.
 */
int kvfs_swapcache_find_vmemmap(const struct kvfs_memmap *map, uint64_t page_len, uint64_t *base);

#endif /* KVFS_PID_SWAPCACHE_H */
