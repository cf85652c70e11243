/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/N/pagemap: one 64-bit entry for each page of an address space, index = address /
 * page size (Documentation/admin-guide/mm/pagemap.rst of the kernel's sources).
 *
 * The kernel reads whole entries only: an offset or a length that is no multiple of 8 fails with
 * EINVAL. The file ends with the address space: a read across its end is cut short and a read
 * beyond it returns 0. Once the address space has gone, every read returns 0; the functions here
 * recognise that and return -ESRCH.
 */
#ifndef KVFS_PID_PAGEMAP_H
#define KVFS_PID_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define KVFS_PAGEMAP_ENTRY_LEN 8	/* bytes */

/* Bits of an entry. */
#define KVFS_PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define KVFS_PAGEMAP_SWAPPED (UINT64_C(1) << 62)
#define KVFS_PAGEMAP_FILE (UINT64_C(1) << 61)	/* not anonymous: page cache, shmem, driver pages */
#define KVFS_PAGEMAP_PFN_MASK ((UINT64_C(1) << 55) - 1)	/* if present */

/* What the page table holds for a page. */
enum kvfs_pagemap_state {
	KVFS_PAGEMAP_NONE,	/* nothing, or a marker without a page */
	KVFS_PAGEMAP_MAPPED,	/* a page */
	KVFS_PAGEMAP_SWAP,	/* a place in swap */
	/*
	 * A page that the process cannot use now or ever: under migration, on a device, or
	 * poisoned. The kernel encodes these as swap entries of types that no swap area has.
	 */
	KVFS_PAGEMAP_BUSY,
};

/* Returns the state that an entry encodes. Pure. */
enum kvfs_pagemap_state kvfs_pagemap_state(uint64_t entry);

/*
 * Finds the number of entries, which is the size of the address space in pages, by reading:
 * /proc/N/pagemap has no st_size. fd: a descriptor of it. Returns 0, -ESRCH if the address space
 * has gone, or -errno.
 */
int kvfs_pagemap_nr_pages(int fd, uint64_t *nr_pages);

/*
 * Reads bytes [off, off + len), at any off and len, of the entries of nr_pages pages (as
 * kvfs_pagemap_nr_pages() found it). Returns the bytes read, less than len only at the end or
 * before an entry that cannot be read; 0 at or past the end; -errno if the first byte cannot be
 * read: -ESRCH if the address space has gone.
 */
ssize_t kvfs_pagemap_read(int fd, uint64_t nr_pages, void *buf, size_t len, uint64_t off);

/* Reads n whole entries from index on. Returns 0, -ESRCH if there are fewer, or -errno. */
int kvfs_pagemap_read_entries(int fd, uint64_t *entries, size_t n, uint64_t index);

/*
 * Checks that the address space still exists: 0, -ESRCH, or -errno. It reads a part of an entry,
 * which the kernel refuses (EINVAL) only after it has found an address space.
 */
int kvfs_pagemap_check(int fd);

/* Categories of PAGEMAP_SCAN. */
#define KVFS_PAGEMAP_SCAN_FILE (1 << 2)
#define KVFS_PAGEMAP_SCAN_PRESENT (1 << 3)
#define KVFS_PAGEMAP_SCAN_SWAPPED (1 << 4)
#define KVFS_PAGEMAP_SCAN_PFNZERO (1 << 5)

/* Adjacent pages in the same categories: the kernel's struct page_region. */
struct kvfs_pagemap_region {
	uint64_t start;		/* address */
	uint64_t end;		/* exclusive */
	uint64_t categories;
};

/*
 * Pages to find, and what to report of them. A page that does not match costs the kernel a quarter
 * of one that does, so callers look for the exceptions.
 */
struct kvfs_pagemap_query {
	uint64_t anyof;		/* categories; a page matches if it is in any of them */
	uint64_t inverted;	/* those of anyof that match pages which are not in them */
	uint64_t report;	/* categories to report of pages that match */
};

/*
 * Finds matching pages in the addresses [start, end) with PAGEMAP_SCAN: at most max regions,
 * ascending. *walked is where the search stopped, end if it is complete. Addresses outside of
 * mappings and in VM_PFNMAP mappings never match. Returns the number of regions, -ENOTTY if the
 * kernel lacks the ioctl (before Linux 6.7), or -errno. If the address space has gone, kernels
 * return -ESRCH or no regions.
 */
ssize_t kvfs_pagemap_scan(int fd, uint64_t start, uint64_t end,
			  const struct kvfs_pagemap_query *query,
			  struct kvfs_pagemap_region *v, size_t max, uint64_t *walked);

/*
 * Tells whether the kernel has PAGEMAP_SCAN: probed once, on this process. false also while there
 * are no descriptors or memory to probe with.
 */
bool kvfs_pagemap_can_scan(void);

#endif /* KVFS_PID_PAGEMAP_H */
