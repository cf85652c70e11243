/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks page tables of x86-64 in the memory of another kernel or of the running one (Intel SDM
 * volume 3, 4.5; AMD APM volume 2, 5.3): 4 and 5 levels, pages of 4 KiB, 2 MiB and 1 GiB.
 *
 * Pure: the caller's function reads the tables, from a dump, or from RAM that is mapped. Tables
 * need not be consistent, since the kernel may change them meanwhile or a dump may be forged:
 * a translation makes at most one read of 8 bytes for each level, and a search at most 65,536
 * translations. Nothing is allocated, kept or locked, so any number of threads may use one
 * struct kvfs_pagewalk if its read function allows it.
 *
 * An entry counts if its present bit is set. The entry of a page also counts with PROTNONE alone:
 * Linux clears the present bit of pages without access, such as those of PROT_NONE mappings
 * (pte_present(), arch/x86/include/asm/pgtable.h, 6.12), and the page is there.
 */
#ifndef KVFS_KERNEL_PAGEWALK_H
#define KVFS_KERNEL_PAGEWALK_H

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads exactly [paddr, paddr + len) of physical memory, for the walk 8 bytes that are aligned.
 * paddr may lie outside RAM. Returns 0 or -errno.
 */
typedef int (*kvfs_read_phys_fn)(void *arg, void *buf, size_t len, uint64_t paddr);

struct kvfs_pagewalk {
	uint64_t root;		/* physical address of the top table: CR3, or swapper_pg_dir */
	unsigned int levels;	/* 4 or 5 */
	uint64_t enc_mask;	/* bits of an entry that mark encrypted memory (sme_mask), else 0 */
	kvfs_read_phys_fn read;
	void *arg;
};

/*
 * Translates vaddr: [vaddr, vaddr + *len) is [*paddr, *paddr + *len) of physical memory, where
 * *len reaches to the end of the page that maps vaddr. Returns 0, -EFAULT if nothing is mapped
 * there or vaddr is not canonical, or the error of read.
 */
int kvfs_pagewalk(const struct kvfs_pagewalk *walk, uint64_t vaddr, uint64_t *paddr,
		  uint64_t *len);

/*
 * Finds the first mapped address from `from` on, and its physical address. Tables that cannot be
 * read count as empty. Returns 0, or -ENOENT if nothing is mapped up to the end of the half of
 * the address space that `from` is in, or up to the 65,536th hole.
 */
int kvfs_pagewalk_first(const struct kvfs_pagewalk *walk, uint64_t from, uint64_t *vaddr,
			uint64_t *paddr);

/*
 * The walk itself, of which the functions above are made, to be compiled into a caller. Where
 * walk->read is a constant, the compiler reads each entry in line: kview-exec walks for each read
 * of a tool.
 */

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

#endif /* KVFS_KERNEL_PAGEWALK_H */
