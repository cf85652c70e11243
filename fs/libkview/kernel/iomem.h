/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/iomem: where System RAM and the kernel image lie in physical memory. Needed where
 * there is no /proc/kcore to say so.
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
	struct kvfs_range *ram;		/* ascending, whole pages: those cut into are left out */
	size_t nr_ram;
	struct kvfs_range kernel;	/* from "Kernel code" to the end of "Kernel bss"; {0, 0} if not there */
};

/*
 * Parses the text of /proc/iomem. Pure. RAM is "System RAM" and what drivers have added,
 * "System RAM (DRIVER)", the latter inside a resource of the driver's. Lines of other
 * resources are passed over.
 * Returns 0, -EBADMSG with the number of the line that cannot be a line of iomem or lists RAM
 * that is not above all before it,
 * -EPERM if all addresses are zero (the kernel hides them from whoever lacks CAP_SYS_ADMIN),
 * or -ENOMEM.
 */
int kvfs_iomem_parse(const char *text, size_t len, struct kvfs_iomem *out, struct kvfs_err *err);

/* Reads and parses path. As kvfs_iomem_parse(), or the errno of open(2) and read(2). */
int kvfs_iomem_load(const char *path, struct kvfs_iomem *out, struct kvfs_err *err);

/* Frees what parse made. A zeroed struct and NULL are allowed. */
void kvfs_iomem_deinit(struct kvfs_iomem *iomem);

#endif /* KVFS_KERNEL_IOMEM_H */
