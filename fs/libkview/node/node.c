// SPDX-License-Identifier: GPL-2.0-only
#include "node/node.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

const char *kvfs_mode_name(enum kvfs_mode mode)
{
	switch (mode) {
	case KVFS_MODE_COPY:
		return "copy";
	case KVFS_MODE_DIRECT:
		return "direct";
	case KVFS_MODE_SPLIT:
		return "split";
	case KVFS_MODE_CACHED:
		return "cached";
	}
	assert(!"a mode that does not exist");
	return "?";
}

void kvfs_node_init(struct kvfs_node *node, const struct kvfs_node_ops *ops, const char *label,
		    uint64_t ino, uint64_t parent_ino)
{
	node->ops = ops;
	node->label = label;
	node->ino = ino;
	node->parent_ino = parent_ino;
	atomic_init(&node->refs, 1);
}

struct kvfs_node *kvfs_node_get(struct kvfs_node *node)
{
	unsigned int before = atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);

	assert(before > 0);
	return node;
}

bool kvfs_node_try_get(struct kvfs_node *node)
{
	unsigned int refs = atomic_load(&node->refs);

	while (refs > 0) {
		if (atomic_compare_exchange_weak(&node->refs, &refs, refs + 1))
			return true;
	}
	return false;
}

void kvfs_node_put(struct kvfs_node *node)
{
	unsigned int before;

	if (!node)
		return;
	before = atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel);
	assert(before > 0);
	if (before == 1)
		node->ops->destroy(node);
}

int kvfs_node_getattr(struct kvfs_node *node, struct kvfs_attr *out)
{
	memset(out, 0, sizeof(*out));
	return node->ops->getattr ? node->ops->getattr(node, out) : 0;
}

void kvfs_node_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	memset(out, 0, sizeof(*out));
	if (node->ops->describe)
		node->ops->describe(node, mode, out);
}

int kvfs_node_open(struct kvfs_node *file, void **handle)
{
	*handle = NULL;
	return file->ops->file->open ? file->ops->file->open(file, handle) : 0;
}

void kvfs_node_release(struct kvfs_node *file, void *handle)
{
	if (file->ops->file->release)
		file->ops->file->release(file, handle);
}

int kvfs_node_seek(struct kvfs_node *file, void *handle, uint64_t off, int whence, uint64_t *out)
{
	struct kvfs_attr attr;
	int ret;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (file->ops->file->seek)
		return file->ops->file->seek(file, handle, off, whence, out);
	ret = kvfs_node_getattr(file, &attr);
	if (ret < 0)
		return ret;
	if (off >= attr.size)
		return -ENXIO;
	*out = whence == SEEK_DATA ? off : attr.size;
	return 0;
}
