/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual memory of a crashed kernel, read from its physical memory: through its page tables if
 * VMCOREINFO has their address (x86-64), and through the virtual addresses of the dump's segments
 * otherwise. Pure; the caller's function reads physical memory.
 */
#ifndef KVFS_KERNEL_VIRT_H
#define KVFS_KERNEL_VIRT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "elf/core.h"
#include "kernel/pagewalk.h"
#include "kernel/vmcoreinfo.h"

struct kvfs_virt {
	kvfs_read_phys_fn read_phys;
	void *arg;
	const struct kvfs_segment *segs;	/* borrowed */
	size_t nr_segs;
	bool has_tables;			/* walk can be used */
	struct kvfs_pagewalk walk;
};

/*
 * Sets up the translation. machine is e_machine of the dump; segs and arg are borrowed for the
 * life of mem; nr_segs may be 0. Returns 0, or with a message -EOPNOTSUPP if there are neither
 * page tables nor virtual addresses, -EBADMSG if VMCOREINFO contradicts itself.
 */
int kvfs_virt_init(struct kvfs_virt *mem, const struct kvfs_vmcoreinfo *info, uint16_t machine,
		   const struct kvfs_segment *segs, size_t nr_segs,
		   kvfs_read_phys_fn read_phys, void *arg, struct kvfs_err *err);

/*
 * Translates vaddr. *len, at least 1, is the number of bytes from there on that are adjacent in
 * physical memory. Returns 0, -EFAULT if nothing is mapped there, or the error of read_phys for
 * a page table.
 */
int kvfs_virt_translate(const struct kvfs_virt *mem, uint64_t vaddr, uint64_t *paddr,
			uint64_t *len);

/* Reads exactly [vaddr, vaddr + len). Returns 0 or -errno; buf may be written in part then. */
int kvfs_virt_read(const struct kvfs_virt *mem, void *buf, size_t len, uint64_t vaddr);

#endif /* KVFS_KERNEL_VIRT_H */
