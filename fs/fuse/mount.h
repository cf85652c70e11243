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
 * Mounts FUSE read-only at path. A kviewfs there whose daemon is dead is cleared away
 * first, one that lives is -EBUSY. max_read is the longest read to be asked for, in bytes.
 * Returns the descriptor of /dev/fuse, the caller's, or -errno and what is wrong.
 */
int kvfs_mount_create(const char *path, bool allow_other, unsigned int max_read,
		      struct kvfs_mount *out, struct kvfs_err *err);

/*
 * Takes the mount out of the tree if it is still there, at once, busy or not, and frees
 * what mount made. fuse_fd is what mount returned, or -1 if that was closed. A mountpoint
 * that was never mounted, all zero, is allowed.
 */
void kvfs_mount_destroy(struct kvfs_mount *mountpoint, int fuse_fd);

#endif /* KVFS_FUSE_MOUNT_H */
