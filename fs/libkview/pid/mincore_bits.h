/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The byte of pid/N/mincore for one page: whether it is resident and why, as far as its entry in
 * the page table tells. docs/views.md has all cases.
 */
#ifndef KVFS_PID_MINCORE_BITS_H
#define KVFS_PID_MINCORE_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of a byte. 0: no mapping, or neither resident nor in swap. */
#define KVFS_MINCORE_RESIDENT (1 << 0)	/* as mincore(2): in memory, mapped by the process or not */
#define KVFS_MINCORE_MAPPED (1 << 1)	/* present in the process's page table */
#define KVFS_MINCORE_ANON (1 << 2)	/* anonymous, in memory or in swap */
#define KVFS_MINCORE_PAGECACHE (1 << 3)	/* in the page cache of a file, of tmpfs too */
#define KVFS_MINCORE_SWAPCACHE (1 << 4)	/* in the swap cache */
#define KVFS_MINCORE_SWAPPED (1 << 5)	/* in swap, by the page table or by tmpfs */

/*
 * Returns the byte for an entry of pagemap. kpageflags: the flags of the page if the entry is
 * present and not of a file, else ignored. in_page_cache: pages of the mapped file are in its page
 * cache, which those of devices are not. The swap cache of a page in swap is left out. Pure.
 */
uint8_t kvfs_mincore_bits_of_entry(uint64_t entry, uint64_t kpageflags, bool in_page_cache);

/* Returns the byte for categories of PAGEMAP_SCAN of a page that is not in swap. Pure. */
uint8_t kvfs_mincore_bits_of_categories(uint64_t categories, bool in_page_cache);

#endif /* KVFS_PID_MINCORE_BITS_H */
