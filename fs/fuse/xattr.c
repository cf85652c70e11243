// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/xattr.h"

#include <errno.h>

/* How node is served, if it is a file. */
static void plan(struct kvfs_backing *backing, struct kvfs_node *node, enum kvfs_mode *mode,
		 struct kvfs_err *reason)
{
	*mode = KVFS_MODE_COPY;
	reason->errnum = 0;
	if (node->ops->kind == KVFS_NODE_FILE)
		kvfs_backing_plan(backing, node, mode, reason, NULL);
}

ssize_t kvfs_xattr_get(struct kvfs_backing *backing, struct kvfs_node *node, const char *name,
		       char *buf)
{
	struct kvfs_err reason;
	enum kvfs_mode mode;

	/* The kernel asks for attributes of its own, such as security.capability. */
	if (!kvfs_attrs_exists(name))
		return -ENODATA;
	plan(backing, node, &mode, &reason);
	return kvfs_attrs_get(node, mode, &reason, name, buf);
}

ssize_t kvfs_xattr_list(struct kvfs_backing *backing, struct kvfs_node *node, char *buf)
{
	struct kvfs_err reason;
	enum kvfs_mode mode;

	plan(backing, node, &mode, &reason);
	return (ssize_t)kvfs_attrs_list(node, mode, &reason, buf);
}
