/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The requests for files with a live source (struct kvfs_blocking_ops), which may have to wait:
 * the other file, beside ops.c, that replies. Each function answers its request once, now or
 * later.
 */
#ifndef KVFS_FUSE_OPS_BLOCKING_H
#define KVFS_FUSE_OPS_BLOCKING_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

#include "fuse/handle.h"
#include "node/node.h"

struct kvfs_blocking;		/* opaque; one a mount; any number of threads may use it */

int kvfs_blocking_create(struct kvfs_blocking **out);

/* The session that notifications go to, before its first request; borrowed. */
void kvfs_blocking_attach(struct kvfs_blocking *live, struct fuse_session *fuse);

/*
 * Interrupts those who wait, and has answered them all when it returns. To be called while
 * requests are still answered; one that would have to wait is EAGAIN from now on.
 */
void kvfs_blocking_stop(struct kvfs_blocking *live);

/* To be called when no request comes in any more, and the session still is. NULL is allowed. */
void kvfs_blocking_destroy(struct kvfs_blocking *live);

void kvfs_blocking_read(struct kvfs_blocking *live, fuse_req_t req, struct kvfs_handle *handle,
			size_t size, off_t off, const struct fuse_file_info *fi);
void kvfs_blocking_ioctl(struct kvfs_blocking *live, fuse_req_t req, struct kvfs_handle *handle,
			 unsigned int cmd);
/* Consumes ph, which may be NULL. */
void kvfs_blocking_poll(struct kvfs_blocking *live, fuse_req_t req, struct kvfs_handle *handle,
			struct fuse_pollhandle *ph);

/* Before the view's release: nobody polls this opening any more. Replies nothing. */
void kvfs_blocking_release(struct kvfs_blocking *live, struct kvfs_handle *handle);

#endif /* KVFS_FUSE_OPS_BLOCKING_H */
