/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The requests of FUSE, each answered exactly once: with ops_blocking.c, which has those that may
 * have to wait, the only caller of fuse_reply_*().
 * Errors are negative up to here and become positive in the reply.
 */
#ifndef KVFS_FUSE_OPS_H
#define KVFS_FUSE_OPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "fuse/backing.h"
#include "fuse/handle.h"
#include "fuse/inode.h"
#include "fuse/ops_blocking.h"

struct fuse_lowlevel_ops;

/* The userdata of the FUSE session. The pointers are borrowed. */
struct kvfs_ops {
	struct kvfs_inodes *inodes;
	struct kvfs_backing *backing;
	struct kvfs_blocking *blocking;
	struct kvfs_handles handles;	/* all that are open; its own */
	struct timespec mounted_at;	/* all times of all files */
	bool allow_other;		/* the kernel lets others in, to be refused here */
	atomic_bool initialised;	/* INIT has been handled */
};

extern const struct fuse_lowlevel_ops kvfs_ops_table;

#endif /* KVFS_FUSE_OPS_H */
