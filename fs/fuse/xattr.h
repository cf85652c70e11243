/* SPDX-License-Identifier: GPL-2.0-only */
/* The extended attributes user.kview.*, which getfattr -d shows. */
#ifndef KVFS_FUSE_XATTR_H
#define KVFS_FUSE_XATTR_H

#include <sys/types.h>

#include "fuse/backing.h"
#include "node/attrs.h"
#include "node/node.h"

/* Room for any value, and for all names, bytes. */
#define KVFS_XATTR_MAX KVFS_ATTRS_MAX

/*
 * Writes the value of an attribute of node into buf, which has KVFS_XATTR_MAX bytes. Returns its
 * length, or -ENODATA if node has no such attribute.
 */
ssize_t kvfs_xattr_get(struct kvfs_backing *backing, struct kvfs_node *node, const char *name,
		       char *buf);

/* Writes the names of node's attributes into buf, a NUL after each. Returns their length. */
ssize_t kvfs_xattr_list(struct kvfs_backing *backing, struct kvfs_node *node, char *buf);

#endif /* KVFS_FUSE_XATTR_H */
