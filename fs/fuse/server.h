/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the requests of one mount share. Data only: handle.h and ops.h have the functions, and
 * both need the struct.
 */
#ifndef KVFS_FUSE_SERVER_H
#define KVFS_FUSE_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "base/list.h"
#include "node/node.h"

struct kvfs_backing;
struct kvfs_blocking;
struct kvfs_inodes;

/* An open file or directory: what fi->fh points to. */
struct kvfs_handle {
	struct kvfs_node *node;		/* a reference */
	void *view;			/* the node's own handle of a file, or reader of a directory */
	enum kvfs_mode mode;		/* of an open file */
	bool nonblock;			/* the file was opened with O_NONBLOCK */
	struct kvfs_list link;		/* in kvfs_handles.open; kvfs_handles.lock */
};

/* kvfs_handles_init() makes it (handle.h). */
struct kvfs_handles {
	pthread_mutex_t lock;		/* protects open */
	struct kvfs_list open;		/* of struct kvfs_handle */
};

/* The userdata of the FUSE session. The pointers are borrowed. */
struct kvfs_ops {
	struct kvfs_inodes *inodes;
	struct kvfs_backing *backing;
	struct kvfs_blocking *blocking;
	struct kvfs_handles handles;	/* all that are open; its own */
	struct timespec mounted_at;	/* all times of all files */
	bool allow_other;		/* the kernel lets other users in, to be refused here */
	atomic_bool initialised;	/* INIT has been handled */
};

#endif /* KVFS_FUSE_SERVER_H */
