/* SPDX-License-Identifier: GPL-2.0-only */
/* The attributes user.kview.* of a node, as texts. docs/views.md describes them. */
#ifndef KVFS_NODE_ATTRS_H
#define KVFS_NODE_ATTRS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "node/node.h"

/* Room for any value, and for all names with a NUL after each, bytes. */
#define KVFS_ATTRS_MAX KVFS_ERR_MSG_MAX

/* The name of the i-th attribute, sorted; NULL past the last. */
const char *kvfs_attrs_name(size_t i);

/* Whether name is an attribute that a node may have. */
bool kvfs_attrs_exists(const char *name);

/*
 * Writes the value of an attribute of node into buf, which has KVFS_ATTRS_MAX bytes, NUL-terminated.
 * A file is served in mode, for the reason given; errnum 0 means none. Both are ignored for other
 * nodes. Returns the length without the NUL, or -ENODATA if node has no such attribute.
 */
ssize_t kvfs_attrs_get(struct kvfs_node *node, enum kvfs_mode mode, const struct kvfs_err *reason,
		       const char *name, char *buf);

/*
 * Writes the names of all attributes of node into buf, which has KVFS_ATTRS_MAX bytes, with a NUL
 * after each. Returns their length.
 */
size_t kvfs_attrs_list(struct kvfs_node *node, enum kvfs_mode mode, const struct kvfs_err *reason, char *buf);

#endif /* KVFS_NODE_ATTRS_H */
