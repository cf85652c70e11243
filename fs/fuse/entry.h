/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node as the kernel gets it: its attributes, and the entry by which the kernel knows it.
 */
#ifndef KVFS_FUSE_ENTRY_H
#define KVFS_FUSE_ENTRY_H

#include <sys/stat.h>

#include "node/node.h"

struct fuse_entry_param;
struct kvfs_ops;

/* The kind of file and its permissions. */
mode_t kvfs_entry_mode(enum kvfs_node_kind kind);

/* Returns 0, or the -errno of a source that cannot be read. */
int kvfs_entry_stat(const struct kvfs_ops *ops, struct kvfs_node *node, struct stat *st);

/*
 * How long the kernel may keep names or attributes, in seconds. With allow_other it must ask each
 * time, because it would show other users what root has looked up.
 */
double kvfs_entry_timeout(const struct kvfs_ops *ops, double seconds);

/*
 * Counts one more lookup of node, and fills *e. Consumes node. On success the caller must reply
 * with *e, or take the lookup back (kvfs_inodes_forget()). Returns 0, -ENOMEM, or the -errno of a
 * source that cannot be read.
 */
int kvfs_entry_fill(struct kvfs_ops *ops, struct kvfs_node *node, struct fuse_entry_param *e);

#endif /* KVFS_FUSE_ENTRY_H */
