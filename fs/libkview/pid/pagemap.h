/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/N/pagemap: one 64-bit entry for each page of an address space, index = address /
 * page size (Documentation/admin-guide/mm/pagemap.rst of the kernel's sources).
 *
 * The kernel takes entries as a whole only: an offset or a length that is no multiple of 8 is
 * EINVAL. Its end is the end of the address space, where a read is cut short and, beyond it,
 * returns 0. It also returns 0, anywhere, once the address space has gone; that is told
 * apart here and becomes ESRCH.
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
#define KVFS_PAGEMAP_FILE (UINT64_C(1) << 61)	/* not anonymous: page cache, shared memory, drivers' pages */
#define KVFS_PAGEMAP_PFN_MASK ((UINT64_C(1) << 55) - 1)	/* if present */

/* What the page table holds for a page. */
enum kvfs_pagemap_state {
	KVFS_PAGEMAP_NONE,	/* nothing, or a marker that stands for nothing */
	KVFS_PAGEMAP_MAPPED,	/* a page */
	KVFS_PAGEMAP_SWAP,	/* a place in swap */
	/*
	 * A page that cannot be used for a while, or ever: under migration, on a device, or
	 * poisoned. The kernel encodes these as swap entries of types that no swap file has.
	 */
	KVFS_PAGEMAP_BUSY,
};

/* Pure. */
enum kvfs_pagemap_state kvfs_pagemap_state(uint64_t entry);

/*
 * Number of entries, which is the size of the address space in pages: /proc/N/pagemap has no
 * st_size. fd: a descriptor of it. Returns 0, -ESRCH if the address space has gone, or
 * -errno.
 */
int kvfs_pagemap_nr_pages(int fd, uint64_t *nr_pages);

/*
 * Reads [off, off + len) as if entries were plain bytes, whatever off and len are. nr_pages as
 * above: where it ends, so does the read. Returns the bytes read, less than len only at
 * the end or before an entry that cannot be read; 0 at or past the end; -errno if the first
 * byte cannot be read: -ESRCH if the address space has gone.
 */
ssize_t kvfs_pagemap_read(int fd, uint64_t nr_pages, void *buf, size_t len, uint64_t off);

/* As above, for n whole entries from index on; -ESRCH unless all of them can be read. */
int kvfs_pagemap_read_entries(int fd, uint64_t *entries, size_t n, uint64_t index);

/*
 * Whether the address space is still there: 0, -ESRCH, or -errno. It is asked for a part of an
 * entry, which the kernel refuses once it has seen that there is one.
 */
int kvfs_pagemap_check(int fd);

/* Categories of PAGEMAP_SCAN. */
#define KVFS_PAGEMAP_SCAN_FILE (1 << 2)
#define KVFS_PAGEMAP_SCAN_PRESENT (1 << 3)
#define KVFS_PAGEMAP_SCAN_SWAPPED (1 << 4)
#define KVFS_PAGEMAP_SCAN_PFNZERO (1 << 5)

/* Pages in a row that are in the same categories. The layout is the kernel's. */
struct kvfs_pagemap_region {
	uint64_t start;		/* address */
	uint64_t end;		/* exclusive */
	uint64_t categories;
};

/*
 * What to look for: pages that are in any category of anyof, where those of inverted count if
 * a page is not in them; and which categories to report of these pages. What is not looked for
 * costs the kernel a quarter of what is, so it is well to look for the exceptions.
 */
struct kvfs_pagemap_query {
	uint64_t anyof;
	uint64_t inverted;
	uint64_t report;
};

/*
 * Finds pages of [start, end): at most max regions, ascending. *walked is where the search
 * stopped, end if it is complete. Outside of mappings, and in those of the kind VM_PFNMAP,
 * nothing is found, whatever is looked for. Returns the number of regions, -ENOTTY if the
 * kernel cannot do it (before Linux 6.7), or -errno. If the address space has gone, kernels say
 * ESRCH or find nothing.
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
