/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pool of descriptors of one file. Two threads must not read one descriptor of /proc/kcore at a
 * time (see uring.h), and opening it for each read is expensive, so each read borrows descriptors
 * and gives them back. The pool keeps no more than were in use at once.
 */
#ifndef KVFS_EXTENT_FDPOOL_H
#define KVFS_EXTENT_FDPOOL_H

#include "base/err.h"

struct kvfs_fdpool;		/* opaque; any number of threads may use it */

/*
 * Opens path once (O_RDONLY | O_CLOEXEC), which checks that it can be opened and pins the file.
 * Further descriptors are opened through /proc/self/fd, so they belong to the same file even if
 * path has been replaced. keep: limit on idle descriptors, including the pinned one, which is kept
 * even if keep is 0. Returns 0 and a pool for the caller to destroy, or -errno with a message: that
 * of open(2), -EISDIR, or -EINVAL for any other type than a regular file.
 */
int kvfs_fdpool_create(const char *path, unsigned int keep, struct kvfs_fdpool **out,
		       struct kvfs_err *err);

/* Closes all descriptors. None may be on loan. NULL is allowed. */
void kvfs_fdpool_destroy(struct kvfs_fdpool *pool);

/*
 * Checks that the file can be opened now, by opening and closing it: idle descriptors still work
 * under a lockdown that came later. Returns 0, or the -errno of open(2).
 */
int kvfs_fdpool_check(const struct kvfs_fdpool *pool);

/*
 * Lends a descriptor that no other caller has. Returns it, for kvfs_fdpool_put(), or the -errno of
 * open(2): the kernel checks privilege and lockdown at each open.
 */
int kvfs_fdpool_get(struct kvfs_fdpool *pool);

/* Takes back a descriptor of kvfs_fdpool_get(), and closes it if enough are idle. */
void kvfs_fdpool_put(struct kvfs_fdpool *pool, int fd);

#endif /* KVFS_EXTENT_FDPOOL_H */
