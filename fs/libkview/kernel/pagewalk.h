/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables of x86-64, walked in somebody else's memory (Intel SDM volume 3, 4.5; AMD APM
 * volume 2, 5.3). Pure but for the reads that the caller makes for it.
 */
#ifndef KVFS_KERNEL_PAGEWALK_H
#define KVFS_KERNEL_PAGEWALK_H

#include <stddef.h>
#include <stdint.h>

/* Reads exactly [paddr, paddr + len) of physical memory. Returns 0 or -errno. */
typedef int (*kvfs_read_phys_fn)(void *arg, void *buf, size_t len, uint64_t paddr);

struct kvfs_pagewalk {
	uint64_t root;		/* physical address of the top table */
	unsigned int levels;	/* 4 or 5 */
	uint64_t enc_mask;	/* bits of an entry that mark encrypted memory (SME), else 0 */
	kvfs_read_phys_fn read;
	void *arg;
};

/*
 * Translates vaddr. *paddr is its physical address, and so is what follows up to *len bytes,
 * the rest of the page (4 KiB, 2 MiB or 1 GiB) that maps it. Returns 0, -EFAULT if nothing
 * is mapped there or vaddr is not canonical, or what read returned.
 */
int kvfs_pagewalk(const struct kvfs_pagewalk *walk, uint64_t vaddr, uint64_t *paddr,
		  uint64_t *len);

/*
 * The first address at or behind from that is mapped, and its physical address. Tables that
 * cannot be read count as empty. Returns 0, or -ENOENT if nothing is mapped there up to the
 * end of the half of the address space that from is in, or not within 65,536 holes.
 */
int kvfs_pagewalk_first(const struct kvfs_pagewalk *walk, uint64_t from, uint64_t *vaddr,
			uint64_t *paddr);

#endif /* KVFS_KERNEL_PAGEWALK_H */
