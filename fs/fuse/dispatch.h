/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The threads that take requests from /dev/fuse. Several read at once, and the thread that
 * takes a request processes it. When the last one stops reading, another is started before it
 * goes on to process, so that a request that hangs never keeps others from being taken.
 * lanes.h bounds how many threads requests can take.
 */
#ifndef KVFS_FUSE_DISPATCH_H
#define KVFS_FUSE_DISPATCH_H

#include <stdbool.h>

#include "base/pool.h"

struct fuse_session;
struct kvfs_dispatch;		/* opaque */

struct kvfs_dispatch_config {
	struct fuse_session *fuse;	/* borrowed, as is the pool */
	struct kvfs_pool *pool;
	unsigned int threads;		/* that read at once and stay; 1 or more */
	bool single;			/* requests are processed one after another */
	/* Called once, by any thread, when the mount has ended. */
	void (*over)(void *arg);
	void *arg;
};

/* Starts the threads. Returns 0, or -errno if not even one could be started. */
int kvfs_dispatch_create(const struct kvfs_dispatch_config *config, struct kvfs_dispatch **out);

/*
 * Makes the threads end, and waits for them, for at most timeout_ms milliseconds, -1 for no
 * limit. Returns whether all have ended. If not, the structures that requests use must stay.
 */
bool kvfs_dispatch_stop(struct kvfs_dispatch *dispatch, int timeout_ms);

/* Stops without a limit of time, and frees. NULL is allowed. */
void kvfs_dispatch_destroy(struct kvfs_dispatch *dispatch);

#endif /* KVFS_FUSE_DISPATCH_H */
