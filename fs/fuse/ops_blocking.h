/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests for files whose bytes come as they happen (struct kvfs_blocking_ops), so that a
 * request may have to wait. Besides ops.c the only file that replies. Each function answers its
 * request once, at once or later.
 */
#ifndef KVFS_FUSE_OPS_BLOCKING_H
#define KVFS_FUSE_OPS_BLOCKING_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

#include "base/pool.h"
#include "fuse/server.h"

struct kvfs_blocking;		/* opaque; one a mount; any number of threads may use it */

/* Borrows pool. Returns 0 or -errno. */
int kvfs_blocking_create(struct kvfs_pool *pool, struct kvfs_blocking **out);

/* Sets the session that notifications go to, borrowed. To be called before its first request. */
void kvfs_blocking_attach(struct kvfs_blocking *blocking, struct fuse_session *fuse);

/*
 * Interrupts the requests that wait, and waits until all are answered, for at most timeout_ms
 * milliseconds. Returns whether all are. Requests must still be taken meanwhile; those that
 * would have to wait fail with EAGAIN from now on.
 */
bool kvfs_blocking_stop(struct kvfs_blocking *blocking, int timeout_ms);

/* To be called when no request comes any more and the session still exists. NULL is allowed. */
void kvfs_blocking_destroy(struct kvfs_blocking *blocking);

void kvfs_blocking_read(struct kvfs_blocking *blocking, fuse_req_t req, struct kvfs_handle *handle,
			size_t size, off_t off, const struct fuse_file_info *fi);
void kvfs_blocking_ioctl(struct kvfs_blocking *blocking, fuse_req_t req, struct kvfs_handle *handle,
			 unsigned int cmd);
/* Consumes ph, which may be NULL. */
void kvfs_blocking_poll(struct kvfs_blocking *blocking, fuse_req_t req, struct kvfs_handle *handle,
			struct fuse_pollhandle *ph);

/* Ends polling of this opening. To be called before the view's release. Replies nothing. */
void kvfs_blocking_release(struct kvfs_blocking *blocking, struct kvfs_handle *handle);

#endif /* KVFS_FUSE_OPS_BLOCKING_H */
