/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The walk of kernel/pagewalk.h, to be compiled into a caller. Where walk->read is a constant the
 * compiler reads each entry in line: kview-exec does so, since it walks for each read of a tool.
 * All other users call kvfs_pagewalk(), which is made of the same code.
 */
#ifndef KVFS_KERNEL_PAGEWALK_INLINE_H
#define KVFS_KERNEL_PAGEWALK_INLINE_H

#include <endian.h>
#include <errno.h>
#include <stdbool.h>

#include "kernel/pagewalk.h"

#define KVFS_PAGEWALK_PAGE_SHIFT 12
#define KVFS_PAGEWALK_LEVEL_BITS 9	/* index bits a level */
#define KVFS_PAGEWALK_LEAF_SHIFT 30	/* of the largest page, 1 GiB */

#define KVFS_PAGEWALK_PRESENT (1ULL << 0)
#define KVFS_PAGEWALK_HUGE (1ULL << 7)		/* PS, in tables of 1 GiB and 2 MiB entries */
/* PAGE_NONE: Linux clears the present bit, the page is there. */
#define KVFS_PAGEWALK_PROTNONE (1ULL << 8)
#define KVFS_PAGEWALK_ADDR 0x000ffffffffff000ULL

/* Whether vaddr is one that tables of so many levels, 4 or 5, can map. */
static inline bool kvfs_pagewalk_is_canonical(uint64_t vaddr, unsigned int levels)
{
	unsigned int shift = 64 - (KVFS_PAGEWALK_PAGE_SHIFT + levels * KVFS_PAGEWALK_LEVEL_BITS);

	return (uint64_t)((int64_t)(vaddr << shift) >> shift) == vaddr;
}

/*
 * For a canonical vaddr. 0: it is mapped by a page of *span bytes, and *paddr is its address.
 * -EFAULT, or what read returned: nothing is known to be mapped in the *span bytes around vaddr.
 */
static inline __attribute__((always_inline)) int
kvfs_pagewalk_look_up(const struct kvfs_pagewalk *walk, uint64_t vaddr, uint64_t *paddr, uint64_t *span)
{
	unsigned int shift = KVFS_PAGEWALK_PAGE_SHIFT + (walk->levels - 1) * KVFS_PAGEWALK_LEVEL_BITS;
	uint64_t table = walk->root;
	uint64_t entry;
	int ret;

	for (;; shift -= KVFS_PAGEWALK_LEVEL_BITS) {
		uint64_t index = (vaddr >> shift) & ((1U << KVFS_PAGEWALK_LEVEL_BITS) - 1);

		ret = walk->read(walk->arg, &entry, sizeof(entry), table + index * sizeof(entry));
		if (ret < 0)
			break;
		entry = le64toh(entry) & ~walk->enc_mask;
		table = entry & KVFS_PAGEWALK_ADDR;
		if (shift == KVFS_PAGEWALK_PAGE_SHIFT ||
		    (entry & KVFS_PAGEWALK_HUGE && shift <= KVFS_PAGEWALK_LEAF_SHIFT)) {
			ret = entry & (KVFS_PAGEWALK_PRESENT | KVFS_PAGEWALK_PROTNONE) ? 0 : -EFAULT;
			break;
		}
		if (!(entry & KVFS_PAGEWALK_PRESENT)) {
			ret = -EFAULT;
			break;
		}
	}
	*span = 1ULL << shift;
	if (ret == 0)
		*paddr = (table & ~(*span - 1)) | (vaddr & (*span - 1));
	return ret;
}

#endif /* KVFS_KERNEL_PAGEWALK_INLINE_H */
