/* SPDX-License-Identifier: GPL-2.0-only */
/* The root of the tree: which directories it has, and what they are made from. */
#ifndef KVFS_TREE_TREE_H
#define KVFS_TREE_TREE_H

#include "base/err.h"
#include "kernel/kmod.h"
#include "node/node.h"
#include "tree/config.h"

struct kvfs_tree;		/* opaque */

/*
 * Finds out what this machine has and makes the root with kcore, pid, trace and vmcore. *config
 * is not needed after it, but its texts and its pool are borrowed for the life of the tree. A
 * source that is not there is an entry that is missing, with its reason; one that config names
 * and that cannot be used is an error. Returns 0, or -errno and what is wrong.
 */
int kvfs_tree_create(const struct kvfs_config *config, struct kvfs_tree **out, struct kvfs_err *err);

/* NULL is allowed. Nodes of the tree must not be used any more. */
void kvfs_tree_destroy(struct kvfs_tree *tree);

/*
 * Adds an entry to the root, before the tree is used. Consumes node, on failure too; name is
 * borrowed. Returns 0, or -ENOMEM, also if node is NULL.
 */
int kvfs_tree_add(struct kvfs_tree *tree, const char *name, struct kvfs_node *node);

/* The root, borrowed. */
struct kvfs_node *kvfs_tree_root(struct kvfs_tree *tree);

/* The module, borrowed. If it is not used, its fd is -1 and *reason, borrowed, says why. */
const struct kvfs_kmod *kvfs_tree_kmod(const struct kvfs_tree *tree, const char **reason);

#endif /* KVFS_TREE_TREE_H */
