/* SPDX-License-Identifier: GPL-2.0-only */
/* The shape of the tree: which directories the root has, and what they are made from. */
#ifndef KVFS_TREE_TREE_H
#define KVFS_TREE_TREE_H

#include "base/err.h"
#include "base/pool.h"
#include "fuse/backing.h"
#include "fuse/status.h"
#include "kviewfs/opts.h"
#include "node/node.h"

struct kvfs_tree;		/* opaque */

/*
 * Finds out what this machine has and makes the root. opts, backing and pool are borrowed for the
 * life of the tree; readers is the number of threads that will read at a time. A source that
 * is not there is a directory that is missing, with its reason; one that the user named and
 * that cannot be used is an error. Returns 0, or -errno and what is wrong.
 */
int kvfs_tree_create(const struct kvfs_opts *opts, struct kvfs_backing *backing, struct kvfs_pool *pool,
		     unsigned int readers, struct kvfs_tree **out, struct kvfs_err *err);

/* NULL is allowed. */
void kvfs_tree_destroy(struct kvfs_tree *tree);

/* The root, borrowed. */
struct kvfs_node *kvfs_tree_root(struct kvfs_tree *tree);

/* What the functions of status.h take, borrowed. */
const struct kvfs_status *kvfs_tree_status(const struct kvfs_tree *tree);

#endif /* KVFS_TREE_TREE_H */
