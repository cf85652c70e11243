/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What mincore(2) would tell a process of its own pages, asked from outside, and why it is
 * so: one byte a page.
 */
#ifndef KVFS_RESIDENCY_H
#define KVFS_RESIDENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

/* Bits of a byte; 0: no mapping, or neither in memory nor in swap. docs/views.md has the cases. */
#define KVFS_RESIDENT (1 << 0)		/* as mincore(2): in memory, mapped by the process or not */
#define KVFS_RESIDENT_MAPPED (1 << 1)	/* present in the process's page table */
#define KVFS_RESIDENT_ANON (1 << 2)	/* an anonymous page, in memory or in swap */
#define KVFS_RESIDENT_PAGECACHE (1 << 3)	/* a page of a file's page cache, tmpfs included */
#define KVFS_RESIDENT_SWAPCACHE (1 << 4)	/* in the swap cache */
#define KVFS_RESIDENT_SWAPPED (1 << 5)	/* in swap; the page table or tmpfs says where */

/* What is left for tests to choose; all false is what the daemon uses. */
struct kvfs_residency_config {
	bool parse_maps;	/* no PROCMAP_QUERY */
	bool no_scan;		/* no PAGEMAP_SCAN */
};

struct kvfs_residency;		/* opaque; any number of threads may use it */

/* Returns 0 and an object to be destroyed, or -errno and what is missing. */
int kvfs_residency_create(const struct kvfs_residency_config *config, struct kvfs_residency **out,
			  struct kvfs_err *err);
void kvfs_residency_destroy(struct kvfs_residency *res);	/* NULL is allowed */

/*
 * Whether it can be seen which anonymous pages in swap are in the swap cache too (swapcache.h).
 * If not, *reason says why; it is borrowed and lives as long as res.
 */
bool kvfs_residency_sees_swap_cache(const struct kvfs_residency *res, const char **reason);

/*
 * Fills vec with the bytes of n pages, the first being that with number index (address / page
 * size). procdir: the process (procfs.h), borrowed. Returns 0, -ESRCH if it has gone or has
 * no address space, or -errno; vec is unspecified then. Pages are judged one mapping after the
 * other, so what changes meanwhile may show half.
 */
int kvfs_residency_load(struct kvfs_residency *res, int procdir, uint64_t index, uint8_t *vec,
			size_t n);

/*
 * The byte of a page by its entry in pagemap alone. kpageflags: the flags of the page if the
 * entry is present and not of a file, else ignored. in_page_cache: pages of a file here are in its page
 * cache (those of devices are not). Of a page in swap it does not know the swap cache. Pure.
 */
uint8_t kvfs_residency_of_entry(uint64_t entry, uint64_t kpageflags, bool in_page_cache);

/* The same for the categories of PAGEMAP_SCAN; no page of a swap area is among them. Pure. */
uint8_t kvfs_residency_of_categories(uint64_t categories, bool in_page_cache);

/* Whether a text of /proc/swaps lists any swap area. Pure. */
bool kvfs_residency_has_swap(const char *swaps);

#endif /* KVFS_RESIDENCY_H */
