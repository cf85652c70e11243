/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A directory with a fixed, short list of entries: the root, and what most rooms need. An entry
 * has a node, or the reason why it is missing.
 *
 * A directory that has nothing else is made by kvfs_fixed_dir_create(). One that has more, such
 * as a description or entries that are numbered, has the struct as its first member, calls
 * kvfs_fixed_dir_init() with operations of its own and kvfs_fixed_dir_deinit() in its destroy;
 * .dir of these operations is &kvfs_fixed_dir_ops, or a table whose functions call those below.
 *
 * Entries are added before the directory is used, by one thread. After that nothing changes.
 */
#ifndef KVFS_NODE_FIXED_DIR_H
#define KVFS_NODE_FIXED_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "node/node.h"

struct kvfs_fixed_entry;	/* opaque */

struct kvfs_fixed_dir {
	struct kvfs_node node;		/* first */
	struct kvfs_fixed_entry *entries;
	size_t nr;			/* entries, missing ones included */
};

/* A directory on its own, with a reference for the caller; NULL if out of memory. */
struct kvfs_fixed_dir *kvfs_fixed_dir_create(const char *label, uint64_t ino, uint64_t parent_ino);

/* Sets up an embedded one, without entries. Arguments as those of kvfs_node_init(). */
void kvfs_fixed_dir_init(struct kvfs_fixed_dir *dir, const struct kvfs_node_ops *ops, const char *label,
			 uint64_t ino, uint64_t parent_ino);

/* Gives back the nodes; dir itself is the caller's. */
void kvfs_fixed_dir_deinit(struct kvfs_fixed_dir *dir);

/*
 * Adds an entry at the end. Consumes node, on failure too. name is borrowed for the life of dir.
 * Returns 0, or -ENOMEM, also if node is NULL, so that a create function can be the argument.
 */
int kvfs_fixed_dir_add(struct kvfs_fixed_dir *dir, const char *name, struct kvfs_node *node);

/* Adds an entry that is missing, with the reason, which is copied. Returns 0 or -ENOMEM. */
int kvfs_fixed_dir_add_missing(struct kvfs_fixed_dir *dir, const char *name, const struct kvfs_err *reason);

/* Lookup, list and missing as kvfs_dir_ops has them. Cookies are below or equal to dir->nr. */
int kvfs_fixed_dir_lookup(struct kvfs_node *dir, const char *name, struct kvfs_node **out);
int kvfs_fixed_dir_list(struct kvfs_node *dir, uint64_t cookie, struct kvfs_dirent *out);
bool kvfs_fixed_dir_missing(struct kvfs_node *dir, size_t i, const char **name, const char **reason);

extern const struct kvfs_dir_ops kvfs_fixed_dir_ops;

#endif /* KVFS_NODE_FIXED_DIR_H */
