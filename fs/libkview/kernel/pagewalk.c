// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/pagewalk.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>

#define PAGE_SHIFT 12
#define LEVEL_BITS 9		/* index bits a level */
#define ENTRY_LEN 8		/* bytes */
#define MAX_LEAF_SHIFT 30	/* of the largest page, 1 GiB */

#define ENTRY_PRESENT (1ULL << 0)
#define ENTRY_HUGE (1ULL << 7)		/* PS, in tables of 1 GiB and 2 MiB entries */
#define ENTRY_PROTNONE (1ULL << 8)	/* PAGE_NONE: Linux clears the present bit, the page is there */
#define ENTRY_ADDR 0x000ffffffffff000ULL

/* Limit on the holes that a search passes: forged tables can have any number of them. */
#define MAX_STEPS 65536

static bool is_canonical(uint64_t vaddr, unsigned int levels)
{
	unsigned int shift = 64 - (PAGE_SHIFT + levels * LEVEL_BITS);

	return (uint64_t)((int64_t)(vaddr << shift) >> shift) == vaddr;
}

/*
 * 0: vaddr is mapped by a page of *span bytes, and *paddr is its address. -EFAULT, or what
 * read returned: nothing is known to be mapped in the *span bytes around vaddr.
 */
static int look_up(const struct kvfs_pagewalk *walk, uint64_t vaddr, uint64_t *paddr,
		   uint64_t *span)
{
	unsigned int shift = PAGE_SHIFT + (walk->levels - 1) * LEVEL_BITS;
	const uint64_t enc_mask = walk->enc_mask;
	uint64_t table = walk->root;
	uint64_t entry;
	int ret;

	for (;; shift -= LEVEL_BITS) {
		uint64_t index = (vaddr >> shift) & ((1U << LEVEL_BITS) - 1);

		ret = walk->read(walk->arg, &entry, sizeof(entry), table + index * ENTRY_LEN);
		if (ret < 0)
			break;
		entry = le64toh(entry) & ~enc_mask;
		table = entry & ENTRY_ADDR;
		if (shift == PAGE_SHIFT || (entry & ENTRY_HUGE && shift <= MAX_LEAF_SHIFT)) {
			ret = entry & (ENTRY_PRESENT | ENTRY_PROTNONE) ? 0 : -EFAULT;
			break;
		}
		if (!(entry & ENTRY_PRESENT)) {
			ret = -EFAULT;
			break;
		}
	}
	*span = 1ULL << shift;
	if (ret == 0)
		*paddr = (table & ~(*span - 1)) | (vaddr & (*span - 1));
	return ret;
}

int kvfs_pagewalk(const struct kvfs_pagewalk *walk, uint64_t vaddr, uint64_t *paddr,
		  uint64_t *len)
{
	uint64_t span;
	int ret;

	if (!is_canonical(vaddr, walk->levels))
		return -EFAULT;
	ret = look_up(walk, vaddr, paddr, &span);
	if (ret == 0)
		*len = span - (vaddr & (span - 1));
	return ret;
}

int kvfs_pagewalk_first(const struct kvfs_pagewalk *walk, uint64_t from, uint64_t *vaddr,
			uint64_t *paddr)
{
	for (unsigned int step = 0; step < MAX_STEPS && is_canonical(from, walk->levels); step++) {
		uint64_t span;

		if (look_up(walk, from, paddr, &span) == 0) {
			*vaddr = from;
			return 0;
		}
		from = (from | (span - 1)) + 1;
		if (from == 0)
			break;
	}
	return -ENOENT;
}
