// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdint.h>
#include <stdlib.h>

#include "fuse/backing.h"
#include "fuse/log.h"
#include "fuse/ops_blocking.h"

void kvfs_handles_init(struct kvfs_handles *handles)
{
	pthread_mutex_init(&handles->lock, NULL);
	kvfs_list_init(&handles->open);
}

static void link_in(struct kvfs_handles *handles, struct kvfs_handle *handle)
{
	pthread_mutex_lock(&handles->lock);
	kvfs_list_add(&handles->open, &handle->link);
	pthread_mutex_unlock(&handles->lock);
}

static void link_out(struct kvfs_handles *handles, struct kvfs_handle *handle)
{
	pthread_mutex_lock(&handles->lock);
	kvfs_list_remove(&handle->link);
	pthread_mutex_unlock(&handles->lock);
}

static void warn_lost(struct kvfs_ops *ops, struct kvfs_node *node)
{
	struct kvfs_err reason;
	enum kvfs_mode mode;

	kvfs_backing_plan(ops->backing, node, &mode, &reason, NULL);
	kvfs_log_warn("%s is served as a copy now: %s", node->label, reason.msg);
}

static int open_file(struct kvfs_ops *ops, struct kvfs_handle *handle, struct fuse_file_info *fi)
{
	const struct kvfs_blocking_ops *blocking = handle->node->ops->file->blocking;
	bool lost;
	int ret;

	ret = kvfs_node_open(handle->node, &handle->view);
	if (ret < 0)
		return ret;
	ret = kvfs_backing_open(ops->backing, handle->node, fi, &lost);
	if (ret < 0) {
		kvfs_node_release(handle->node, handle->view);
		return ret;
	}
	if (lost)
		warn_lost(ops, handle->node);
	handle->mode = kvfs_backing_mode(ops->backing, handle->node);
	handle->nonblock = fi->flags & O_NONBLOCK;
	fi->nonseekable = blocking && blocking->is_stream(handle->node, handle->view);
	return 0;
}

static void close_file(struct kvfs_ops *ops, struct kvfs_handle *handle)
{
	if (handle->node->ops->file->blocking && ops->blocking)
		kvfs_blocking_release(ops->blocking, handle);
	kvfs_backing_release(ops->backing, handle->node);
	kvfs_node_release(handle->node, handle->view);
}

/* A handle of node that is not open yet, or NULL if out of memory. */
static struct kvfs_handle *create(struct kvfs_node *node)
{
	struct kvfs_handle *handle = calloc(1, sizeof(*handle));

	if (handle)
		handle->node = kvfs_node_get(node);
	return handle;
}

static void destroy(struct kvfs_handle *handle)
{
	kvfs_node_put(handle->node);
	free(handle);
}

/* The end of both ways to open: hands the handle to fi, or frees it after an error. */
static int finish(struct kvfs_ops *ops, struct kvfs_handle *handle, struct fuse_file_info *fi,
		  int ret)
{
	if (ret < 0) {
		destroy(handle);
		return ret;
	}
	link_in(&ops->handles, handle);
	fi->fh = (uintptr_t)handle;
	return 0;
}

int kvfs_handle_open_file(struct kvfs_ops *ops, struct kvfs_node *node, struct fuse_file_info *fi)
{
	struct kvfs_handle *handle;

	if (node->ops->kind != KVFS_NODE_FILE)
		return -EISDIR;
	/* The kernel has refused it already, unless the mount was remounted writable. */
	if ((fi->flags & O_ACCMODE) != O_RDONLY || (fi->flags & O_TRUNC))
		return -EROFS;
	handle = create(node);
	if (!handle)
		return -ENOMEM;
	return finish(ops, handle, fi, open_file(ops, handle, fi));
}

int kvfs_handle_open_dir(struct kvfs_ops *ops, struct kvfs_node *node, struct fuse_file_info *fi)
{
	struct kvfs_handle *handle;
	int ret = 0;

	if (node->ops->kind != KVFS_NODE_DIR)
		return -ENOTDIR;
	handle = create(node);
	if (!handle)
		return -ENOMEM;
	if (node->ops->dir->open)
		ret = node->ops->dir->open(node, &handle->view);
	return finish(ops, handle, fi, ret);
}

void kvfs_handle_close(struct kvfs_ops *ops, struct kvfs_handle *handle)
{
	link_out(&ops->handles, handle);
	if (handle->node->ops->kind == KVFS_NODE_FILE)
		close_file(ops, handle);
	else if (handle->node->ops->dir->release)
		handle->node->ops->dir->release(handle->node, handle->view);
	destroy(handle);
}

void kvfs_handles_close_all(struct kvfs_ops *ops)
{
	while (!kvfs_list_is_empty(&ops->handles.open))
		kvfs_handle_close(ops, kvfs_list_entry(ops->handles.open.next, struct kvfs_handle, link));
}
