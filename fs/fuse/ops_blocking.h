/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The requests for files with a live source (struct kvfs_live_ops), which may have to wait:
 * the other file, beside ops.c, that replies. Each function answers its request once, now or
 * later.
 */
#ifndef KVFS_FUSE_OPS_BLOCKING_H
#define KVFS_FUSE_OPS_BLOCKING_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

#include "fuse/handle.h"
#include "node/node.h"

struct kvfs_live;		/* opaque; one a mount; any number of threads may use it */

int kvfs_live_create(struct kvfs_live **out);

/* The session that notifications go to, before its first request; borrowed. */
void kvfs_live_attach(struct kvfs_live *live, struct fuse_session *fuse);

/*
 * Interrupts those who wait, and has answered them all when it returns. To be called while
 * requests are still answered; one that would have to wait is EAGAIN from now on.
 */
void kvfs_live_stop(struct kvfs_live *live);

/* To be called when no request comes in any more, and the session still is. NULL is allowed. */
void kvfs_live_destroy(struct kvfs_live *live);

void kvfs_live_read(struct kvfs_live *live, fuse_req_t req, struct kvfs_handle *handle,
		    size_t size, off_t off, const struct fuse_file_info *fi);
void kvfs_live_ioctl(struct kvfs_live *live, fuse_req_t req, struct kvfs_handle *handle,
		     unsigned int cmd);
/* Consumes ph, which may be NULL. */
void kvfs_live_poll(struct kvfs_live *live, fuse_req_t req, struct kvfs_handle *handle,
		    struct fuse_pollhandle *ph);

/* Before the view's release: nobody polls this opening any more. Replies nothing. */
void kvfs_live_release(struct kvfs_live *live, struct kvfs_handle *handle);

#endif /* KVFS_FUSE_OPS_BLOCKING_H */
