/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nodes that the kernel knows, by node id. inode.c explains the numbers.
 */
#ifndef KVFS_FUSE_INODE_H
#define KVFS_FUSE_INODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/node.h"

struct kvfs_inodes;		/* opaque; any number of threads may use it */

/* Makes a table that always holds root under node id 1; takes its own reference. */
int kvfs_inodes_create(struct kvfs_node *root, struct kvfs_inodes **out);

/* Gives all nodes back, whatever the kernel still counts. NULL is allowed. */
void kvfs_inodes_destroy(struct kvfs_inodes *inodes);

/*
 * Counts one more lookup of node, before the reply to it is sent. Consumes the caller's
 * reference, on failure too. Returns the node in the table, which is another one if the
 * kernel knows its ino already, with a reference for the caller; NULL if out of memory.
 */
struct kvfs_node *kvfs_inodes_enter(struct kvfs_inodes *inodes, struct kvfs_node *node);

/* The node of a node id with a reference for the caller, or NULL if it is not in the table. */
struct kvfs_node *kvfs_inodes_get(struct kvfs_inodes *inodes, uint64_t nodeid);

/*
 * Takes nlookup lookups back: the kernel has sent FORGET, or a reply has failed. Returns whether
 * the node has left the table.
 */
bool kvfs_inodes_forget(struct kvfs_inodes *inodes, uint64_t nodeid, uint64_t nlookup);

/* Nodes in the table, the root included. */
size_t kvfs_inodes_count(struct kvfs_inodes *inodes);

#endif /* KVFS_FUSE_INODE_H */
