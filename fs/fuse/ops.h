/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The requests of FUSE, each answered exactly once: with ops_blocking.c, which has those that may
 * have to wait, the only caller of fuse_reply_*().
 * Errors are negative up to here and become positive in the reply.
 */
#ifndef KVFS_FUSE_OPS_H
#define KVFS_FUSE_OPS_H

#include "fuse/server.h"

struct fuse_lowlevel_ops;

/* The userdata is a struct kvfs_ops. */
extern const struct fuse_lowlevel_ops kvfs_ops_table;

#endif /* KVFS_FUSE_OPS_H */
