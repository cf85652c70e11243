// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/entry.h"

#include <assert.h>
#include <errno.h>
#include <fuse_lowlevel.h>
#include <string.h>

#include "fuse/inode.h"
#include "fuse/server.h"

/*
 * st_blksize: what cmp, grep and others read at a time, bytes. A read of a copied file costs a
 * request, however short it is.
 */
#define BLOCK_SIZE_HINT (128 * 1024)

mode_t kvfs_entry_mode(enum kvfs_node_kind kind)
{
	switch (kind) {
	case KVFS_NODE_DIR:
		return S_IFDIR | 0500;
	case KVFS_NODE_FILE:
		return S_IFREG | 0400;
	case KVFS_NODE_SYMLINK:
		return S_IFLNK | 0777;
	}
	assert(!"a kind of node that does not exist");
	return 0;
}

int kvfs_entry_stat(const struct kvfs_ops *ops, struct kvfs_node *node, struct stat *st)
{
	struct kvfs_attr attr;
	int ret = kvfs_node_getattr(node, &attr);

	if (ret < 0)
		return ret;
	memset(st, 0, sizeof(*st));
	st->st_ino = node->ino;
	st->st_mode = kvfs_entry_mode(node->ops->kind);
	st->st_nlink = 1;
	st->st_size = attr.size;
	st->st_blocks = attr.data_len / 512 + (attr.data_len % 512 != 0);
	st->st_blksize = BLOCK_SIZE_HINT;
	st->st_atim = st->st_mtim = st->st_ctim = ops->mounted_at;
	return 0;
}

double kvfs_entry_timeout(const struct kvfs_ops *ops, double seconds)
{
	return ops->allow_other ? 0 : seconds;
}

int kvfs_entry_fill(struct kvfs_ops *ops, struct kvfs_node *node, struct fuse_entry_param *e)
{
	int ret;

	node = kvfs_inodes_enter(ops->inodes, node);
	if (!node)
		return -ENOMEM;
	memset(e, 0, sizeof(*e));
	ret = kvfs_entry_stat(ops, node, &e->attr);
	if (ret == 0) {
		e->ino = node->ino;
		e->entry_timeout = kvfs_entry_timeout(ops, node->ops->entry_timeout);
		e->attr_timeout = kvfs_entry_timeout(ops, node->ops->attr_timeout);
	} else {
		kvfs_inodes_forget(ops->inodes, node->ino, 1);
	}
	kvfs_node_put(node);
	return ret;
}
