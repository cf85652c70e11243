/* SPDX-License-Identifier: GPL-2.0-only */
/* The mounted files, for the guest's test programs in C. All functions bail out on errors. */
#ifndef MOUNT_H
#define MOUNT_H

#include <stdint.h>

/** mount_open - open kcore/@name, which must be served in mode direct: a test point */
int mount_open(const char *name);

/** mount_path - path of kcore/@name; overwritten by the next call */
const char *mount_path(const char *name);

/** mount_size - size of an open file in bytes */
uint64_t mount_size(int fd);

/** struct mount_still - bytes of kcore/text that do not change: the read-only data */
struct mount_still {
	uint64_t off;		/* in kcore/text, page-aligned */
	uint64_t paddr;		/* in kcore/ram, page-aligned */
	uint64_t len;		/* whole pages */
};

/** mount_still - find the read-only data */
struct mount_still mount_still(void);

#endif /* MOUNT_H */
