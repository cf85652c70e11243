/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/iomem: where System RAM and the kernel image are in physical memory. Used on machines
 * without /proc/kcore.
 */
#ifndef KVFS_KERNEL_IOMEM_H
#define KVFS_KERNEL_IOMEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* [start, end), bytes. */
struct kvfs_range {
	uint64_t start;
	uint64_t end;
};

struct kvfs_iomem {
	struct kvfs_range *ram;		/* ascending, whole pages: a page that is RAM in part is left out */
	size_t nr_ram;
	struct kvfs_range kernel;	/* from "Kernel code" to the end of "Kernel bss"; {0, 0} if not listed */
};

/*
 * Parses the text of /proc/iomem. Pure. RAM is "System RAM", and "System RAM (DRIVER)" inside a
 * resource of the driver that has added it. Other resources are ignored. Returns 0, or with a
 * message -EBADMSG for a line that is none of /proc/iomem or whose RAM is not above all before
 * it, -EPERM if all addresses are zero (the kernel hides them from processes without
 * CAP_SYS_ADMIN), or -ENOMEM.
 */
int kvfs_iomem_parse(const char *text, size_t len, struct kvfs_iomem *out, struct kvfs_err *err);

/* Reads and parses path. Returns as kvfs_iomem_parse(), or the errno of open(2) or read(2). */
int kvfs_iomem_load(const char *path, struct kvfs_iomem *out, struct kvfs_err *err);

/* Frees the ranges. A zeroed struct and NULL are allowed. */
void kvfs_iomem_deinit(struct kvfs_iomem *iomem);

#endif /* KVFS_KERNEL_IOMEM_H */
