/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages of a mapped file are in memory, whether or not anybody has them in a page
 * table: the file is opened through /proc/N/map_files, mapped here without being touched,
 * and mincore(2) is asked about that mapping. So the file need not have a name any more,
 * and the answer is the kernel's own one.
 */
#ifndef KVFS_PID_PAGECACHE_H
#define KVFS_PID_PAGECACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pid/maps.h"
#include "pid/may_block.h"

/* What kind of file is mapped, as far as its pages are concerned. */
enum kvfs_pagecache_kind {
	KVFS_PAGECACHE_PAGES,	/* regular file or block device: a page cache that can be asked */
	KVFS_PAGECACHE_SHMEM,	/* the same on tmpfs, and shared memory: it may be swapped out */
	KVFS_PAGECACHE_HUGETLB,	/* the page table alone counts, as for mincore(2) */
	KVFS_PAGECACHE_DEVICE,	/* device, or a kernel object: its pages are in no page cache */
	/* A page cache that cannot be asked: to open the file would be to wait (devkind.h), or fails. */
	KVFS_PAGECACHE_OPAQUE,
};

struct kvfs_pagecache {
	enum kvfs_pagecache_kind kind;
	int fd;			/* PAGES, SHMEM: opened for reading; else -1 */
	uint64_t start;		/* address that file_off belongs to */
	uint64_t file_off;
};

/*
 * Opens the file of a mapping of kind KVFS_MAPPING_FILE. Devices are not opened, since that
 * has effects. Returns 0, -ENOENT if the process has no such mapping any more or has gone, or
 * -errno.
 */
int kvfs_pagecache_open(int procdir, struct kvfs_may_block *kinds,
			const struct kvfs_mapping *map, struct kvfs_pagecache *out);
void kvfs_pagecache_close(struct kvfs_pagecache *cache);

/*
 * Sets bit 0 of vec[i] if the page at start + i pages is in memory, clears it if not, and
 * leaves the other bits alone. [start, start + n pages) lies in the mapping. kind must be PAGES
 * or SHMEM. Returns 0 or -errno.
 */
int kvfs_pagecache_resident(const struct kvfs_pagecache *cache, uint64_t start, uint8_t *vec,
			    size_t n);

/*
 * Shared memory only: whether the pages that are not in memory are in swap, or do not exist.
 * For each of them that is in swap, sets in vec[i] the bits of mark; those that
 * have bit 0 set are left alone. Returns 0 or -errno.
 */
int kvfs_pagecache_mark_swapped(const struct kvfs_pagecache *cache, uint64_t start, uint8_t *vec,
				size_t n, uint8_t mark);

/*
 * Shared memory only, Linux 6.5 and newer: tells pages that are in memory because they are in
 * the swap cache from those that are in the page cache. Of the vec[i] with bit 0 set and none of
 * skip, the former get the bits of swap_mark, the latter those of page_mark. -ENOSYS if the
 * kernel has no cachestat(2): nothing is marked then.
 */
int kvfs_pagecache_mark_cache(const struct kvfs_pagecache *cache, uint64_t start, uint8_t *vec,
			      size_t n, uint8_t skip, uint8_t page_mark, uint8_t swap_mark);

#endif /* KVFS_PID_PAGECACHE_H */
