/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages of a mapped file are resident, in any page table or in none. The daemon opens the
 * file through /proc/N/map_files, so that it need not have a name any more, maps it without
 * touching it, and calls mincore(2) on its own mapping.
 */
#ifndef KVFS_PID_PAGECACHE_H
#define KVFS_PID_PAGECACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pid/maps.h"
#include "pid/may_block.h"

/* Kinds of mapped files, by where their pages are. */
enum kvfs_pagecache_kind {
	KVFS_PAGECACHE_PAGES,	/* a regular file or block device: a page cache that mincore(2) reports */
	KVFS_PAGECACHE_SHMEM,	/* a file of tmpfs or shared memory: likewise, and pages may be in swap */
	KVFS_PAGECACHE_HUGETLB,	/* only the page table counts, as for mincore(2) */
	KVFS_PAGECACHE_DEVICE,	/* a device or kernel object: its pages are in no page cache */
	KVFS_PAGECACHE_OPAQUE,	/* a page cache, but opening the file may block (may_block.h) or fails */
};

struct kvfs_pagecache {
	enum kvfs_pagecache_kind kind;
	int fd;			/* PAGES, SHMEM: opened for reading; else -1 */
	uint64_t start;		/* address of the mapping */
	uint64_t file_off;	/* byte offset in the file of start */
};

/*
 * Opens the file of a mapping of kind KVFS_MAPPING_FILE, unless it is a device, because opening one
 * has effects. Returns 0 and *out for the caller to close, -ENOENT if the process has no such
 * mapping any more or has gone, or -errno.
 */
int kvfs_pagecache_open(int procdir, struct kvfs_may_block *may_block,
			const struct kvfs_mapping *map, struct kvfs_pagecache *out);
void kvfs_pagecache_close(struct kvfs_pagecache *cache);

/*
 * Sets bit 0 of vec[i] if page i of the n from address start on is resident, clears it if not, and
 * leaves the other bits alone. These pages lie in the mapping. kind must be PAGES or SHMEM.
 * Returns 0 or -errno.
 */
int kvfs_pagecache_resident(const struct kvfs_pagecache *cache, uint64_t start, uint8_t *vec,
			    size_t n);

/*
 * SHMEM only: finds pages in swap. Of the vec[i] with bit 0 clear, sets the bits of mark in those
 * whose page is in swap; the others do not exist. Returns 0 or -errno.
 */
int kvfs_pagecache_mark_swapped(const struct kvfs_pagecache *cache, uint64_t start, uint8_t *vec,
				size_t n, uint8_t mark);

/*
 * SHMEM only, with cachestat(2) (Linux 6.5): tells resident pages in the page cache from those in
 * the swap cache. Of the vec[i] with bit 0 set and no bit of skip, sets the bits of page_mark in
 * the former and those of swap_mark in the latter. Returns 0, -ENOSYS on older kernels with
 * nothing marked, or -errno.
 */
int kvfs_pagecache_mark_cache(const struct kvfs_pagecache *cache, uint64_t start, uint8_t *vec,
			      size_t n, uint8_t skip, uint8_t page_mark, uint8_t swap_mark);

#endif /* KVFS_PID_PAGECACHE_H */
