/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The byte that tells of one page whether it is in memory and why, and what it is for each
 * thing that a page table can hold.
 */
#ifndef KVFS_PID_MINCORE_BITS_H
#define KVFS_PID_MINCORE_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of a byte; 0: no mapping, or neither in memory nor in swap. docs/views.md has the cases. */
#define KVFS_MINCORE_RESIDENT (1 << 0)		/* as mincore(2): in memory, mapped by the process or not */
#define KVFS_MINCORE_MAPPED (1 << 1)	/* present in the process's page table */
#define KVFS_MINCORE_ANON (1 << 2)	/* an anonymous page, in memory or in swap */
#define KVFS_MINCORE_PAGECACHE (1 << 3)	/* a page of a file's page cache, tmpfs included */
#define KVFS_MINCORE_SWAPCACHE (1 << 4)	/* in the swap cache */
#define KVFS_MINCORE_SWAPPED (1 << 5)	/* in swap; the page table or tmpfs says where */

/*
 * The byte of a page by its entry in pagemap alone. kpageflags: the flags of the page if the
 * entry is present and not of a file, else ignored. in_page_cache: pages of a file here are in its page
 * cache (those of devices are not). Of a page in swap it does not know the swap cache. Pure.
 */
uint8_t kvfs_mincore_bits_of_entry(uint64_t entry, uint64_t kpageflags, bool in_page_cache);

/* The same for the categories of PAGEMAP_SCAN; no page of a swap area is among them. Pure. */
uint8_t kvfs_mincore_bits_of_categories(uint64_t categories, bool in_page_cache);

#endif /* KVFS_PID_MINCORE_BITS_H */
