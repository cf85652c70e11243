/* SPDX-License-Identifier: GPL-2.0-only */
/* Mounting and unmounting: from the name of a directory to the descriptor of /dev/fuse. */
#ifndef KVFS_FUSE_MOUNT_H
#define KVFS_FUSE_MOUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct kvfs_mount {
	char *path;		/* absolute, without links; NULL if nothing is mounted */
	dev_t dev;		/* of the mount */
};

/*
 * Mounts FUSE read-only at path. A kviewfs there whose daemon is dead is unmounted first; one
 * that is alive is -EBUSY. max_read is the length of the longest read, in bytes. Returns the
 * descriptor of /dev/fuse, which the caller owns, or -errno and the reason.
 */
int kvfs_mount_create(const char *path, bool allow_other, unsigned int max_read,
		      struct kvfs_mount *out, struct kvfs_err *err);

/*
 * Unmounts at once, busy or not, if the mount is still there, and frees *mountpoint. fuse_fd is
 * what kvfs_mount_create() returned, or -1 if it was closed. All zero, never mounted, is allowed.
 */
void kvfs_mount_destroy(struct kvfs_mount *mountpoint, int fuse_fd);

#endif /* KVFS_FUSE_MOUNT_H */
