/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors of one file, one for each reader at work. Two threads must not read the same
 * /proc/kcore descriptor at a time (see uring.h), and opening it for each read is dear; so
 * descriptors are lent out and come back, and no more are kept than were ever used at once.
 */
#ifndef KVFS_EXTENT_FDPOOL_H
#define KVFS_EXTENT_FDPOOL_H

#include "base/err.h"

struct kvfs_fdpool;		/* opaque; any number of threads may use it */

/*
 * Opens path once (O_RDONLY | O_CLOEXEC), to find out that it can be opened and to pin the
 * file; later ones are opened through /proc/self/fd, so they are the same file even if path
 * was replaced. keep: most idle descriptors that are kept, the pinned one included, which
 * is kept even if keep is 0. Returns 0 and a pool for the caller to destroy, or -errno with a
 * message: that of open(2), -EISDIR, -EINVAL for anything else that is no regular file.
 */
int kvfs_fdpool_create(const char *path, unsigned int keep, struct kvfs_fdpool **out,
		       struct kvfs_err *err);

/* Closes every idle descriptor. None may be lent out. NULL is allowed. */
void kvfs_fdpool_destroy(struct kvfs_fdpool *pool);

/*
 * Whether the file could be opened now, by opening it and closing it again: idle descriptors
 * say nothing of a lockdown since then. Returns 0, or the -errno of open(2).
 */
int kvfs_fdpool_check(const struct kvfs_fdpool *pool);

/*
 * Lends a descriptor that nobody else has. Returns it, or the -errno of open(2), which can
 * come at any time: privilege and lockdown are judged at each open. It goes back with put.
 */
int kvfs_fdpool_get(struct kvfs_fdpool *pool);

/* Takes back what get lent; closes it if enough are idle. */
void kvfs_fdpool_put(struct kvfs_fdpool *pool, int fd);

#endif /* KVFS_EXTENT_FDPOOL_H */
