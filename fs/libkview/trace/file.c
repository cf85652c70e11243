// SPDX-License-Identifier: GPL-2.0-only
#include "trace/file.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kernel/lockdown.h"
#include "trace/image.h"
#include "trace/listing.h"
#include "trace/opening.h"
#include "trace/size.h"
#include "trace/stream.h"
#include "trace/tracefs.h"

struct trace_file {
	struct kvfs_node node;
	struct kvfs_trace_entry entry;
	struct kvfs_trace_files *files;	/* a reference */
	unsigned int cpu;
	char *dir;
	char *label;
	pthread_mutex_t lock;		/* all below */
	unsigned int opens;
	bool measured;			/* error and reason are those of an open */
	int error;			/* 0, or -errno: why the ring cannot be mapped */
	struct kvfs_err reason;
	struct kvfs_trace_size at_open;	/* what tracefs had at the first of the opens */
	uint64_t len_at_open;		/* bytes that the ring had then, as its meta page says */
	struct kvfs_tracefs_map held;	/* mode copy only: the mapping that the image is of */
	struct kvfs_image *image;
};

static struct trace_file *to_file(struct kvfs_node *node)
{
	return (struct trace_file *)node;
}

/*
 * With file->lock held, at the first open. Returns 0 also for a ring that cannot be mapped, which
 * stays so, or cannot be now. Other failures, such as -ENOMEM, say nothing about the ring.
 */
static int measure(struct trace_file *file, const struct kvfs_trace_opening *o)
{
	struct kvfs_ring_meta meta;
	struct kvfs_err reason = { 0 };
	int error, ret;

	ret = kvfs_trace_size_load(file->dir, file->cpu, file->files->online, &file->at_open);
	if (ret < 0)
		return ret;
	error = kvfs_tracefs_measure(o->fd, &meta, &reason);
	if (error < 0 && error != -ENODEV && error != -EBUSY && error != -EINVAL)
		return error;
	file->measured = true;
	file->error = error;
	file->reason = reason;
	file->len_at_open = error == 0 ? kvfs_ring_len(&meta) : error == -EBUSY ? file->at_open.len : 0;
	kvfs_trace_mappable_learn(&file->files->mappable, file->dir, error);
	return 0;
}

/* With file->lock held. */
static int enter(struct trace_file *file, struct kvfs_trace_opening *o)
{
	int ret = file->opens == 0 ? measure(file, o) : 0;

	if (ret < 0)
		return ret;
	file->opens++;
	o->stream = file->error == -ENODEV;
	/* The kernel drops the page cache at each open. */
	if (file->image)
		kvfs_image_refresh(file->image);
	return 0;
}

/* With file->lock held. */
static void leave(struct trace_file *file)
{
	if (--file->opens > 0)
		return;
	kvfs_image_destroy(file->image);
	file->image = NULL;
	kvfs_tracefs_unmap(&file->held);
}

static int file_open(struct kvfs_node *node, void **handle)
{
	struct trace_file *file = to_file(node);
	struct kvfs_trace_opening *o;
	int ret = kvfs_trace_opening_create(file->dir, &o);

	if (ret < 0)
		return ret;
	pthread_mutex_lock(&file->lock);
	ret = enter(file, o);
	pthread_mutex_unlock(&file->lock);
	if (ret < 0) {
		kvfs_trace_opening_destroy(o);
		return ret;
	}
	*handle = o;
	return 0;
}

static void file_release(struct kvfs_node *node, void *handle)
{
	struct trace_file *file = to_file(node);

	pthread_mutex_lock(&file->lock);
	leave(file);
	pthread_mutex_unlock(&file->lock);
	kvfs_trace_opening_destroy(handle);
}

/* With file->lock held: maps the ring and makes the image, if that has not been done. */
static int hold(struct trace_file *file, const struct kvfs_trace_opening *o)
{
	int ret;

	if (file->image)
		return 0;
	ret = kvfs_tracefs_map(o->fd, &file->held, NULL);
	if (ret < 0)
		return ret;
	ret = kvfs_image_create(file->held.mem, &file->held.meta, &file->image);
	if (ret < 0)
		kvfs_tracefs_unmap(&file->held);
	return ret;
}

static ssize_t read_image(struct trace_file *file, struct kvfs_trace_opening *o, void *buf,
			  size_t len, uint64_t off)
{
	ssize_t ret;

	pthread_mutex_lock(&file->lock);
	ret = hold(file, o);
	if (ret == 0)
		ret = kvfs_image_read(file->image, buf, len, off);
	pthread_mutex_unlock(&file->lock);
	return ret;
}

static bool ring_is_stream(struct kvfs_node *node, void *handle)
{
	const struct kvfs_trace_opening *o = handle;

	return o->stream;
}

static bool ring_waits(struct kvfs_node *node, void *handle, const struct kvfs_request *request)
{
	const struct kvfs_trace_opening *o = handle;

	if (request->what == KVFS_REQUEST_IOCTL)
		return request->cmd == KVFS_RING_GET_READER &&
		       (!request->nonblock || request->mode == KVFS_MODE_COPY);
	return o->stream && !request->nonblock;
}

static ssize_t ring_read(struct kvfs_node *node, void *handle, const struct kvfs_request *request,
			 void *buf, size_t len, uint64_t off)
{
	struct kvfs_trace_opening *o = handle;

	if (o->stream && request->what == KVFS_REQUEST_FILL)
		return -ENODEV;
	if (o->stream)
		return kvfs_trace_stream_read(o, request->nonblock, buf, len);
	if (request->what == KVFS_REQUEST_FILL && request->mode == KVFS_MODE_COPY)
		return read_image(to_file(node), o, buf, len, off);
	return kvfs_trace_opening_read(o, buf, len, off);
}

/* The kernel knows of no mapping by a user in mode copy, so the daemon's own makes GET_READER work. */
static int hold_for_copy(struct trace_file *file, struct kvfs_trace_opening *o)
{
	int ret;

	pthread_mutex_lock(&file->lock);
	ret = hold(file, o);
	pthread_mutex_unlock(&file->lock);
	return ret;
}

static int get_reader(struct trace_file *file, struct kvfs_trace_opening *o,
		      const struct kvfs_request *request, bool *stale)
{
	int fd = kvfs_trace_opening_fd(o, request->nonblock);

	if (fd < 0)
		return fd;
	if (request->mode == KVFS_MODE_COPY) {
		int ret = hold_for_copy(file, o);

		if (ret < 0)
			return ret;
	}
	if (ioctl(fd, KVFS_RING_GET_READER) < 0)
		return -errno;
	if (request->mode == KVFS_MODE_COPY) {
		pthread_mutex_lock(&file->lock);
		kvfs_image_refresh(file->image);
		pthread_mutex_unlock(&file->lock);
		*stale = true;
	}
	return 0;
}

static int ring_ioctl(struct kvfs_node *node, void *handle, const struct kvfs_request *request,
		      bool *stale)
{
	struct kvfs_trace_opening *o = handle;

	switch (request->cmd) {
	case KVFS_RING_GET_READER:
		return get_reader(to_file(node), o, request, stale);
	case KVFS_RING_WAKE_WAITERS:
		return ioctl(o->fd, KVFS_RING_WAKE_WAITERS) < 0 ? -errno : 0;
	}
	return -ENOTTY;
}

static int ring_poll_fd(struct kvfs_node *node, void *handle)
{
	const struct kvfs_trace_opening *o = handle;

	return o->fd;
}

/* Whether the ring can be mapped: as an open has met it, or else as is to be expected. */
static int can_map(struct trace_file *file, struct kvfs_err *err)
{
	bool measured;
	int ret;

	pthread_mutex_lock(&file->lock);
	measured = file->measured;
	ret = file->error;
	if (measured && ret < 0 && err)
		*err = file->reason;
	pthread_mutex_unlock(&file->lock);
	return measured ? ret : kvfs_trace_mappable_expect(&file->files->mappable, file->dir, err);
}

static int file_can_back(struct kvfs_node *node, enum kvfs_mode *mode, struct kvfs_err *err)
{
	int ret = can_map(to_file(node), err);

	*mode = KVFS_MODE_SPLIT;
	/* An open would fail, and the kernel would log it. */
	if (kvfs_lockdown_is_confidential())
		return kvfs_err_set(err, EPERM, "kernel lockdown (confidentiality) forbids opening trace rings");
	/* Other failures may pass: a caller's mmap meets them. */
	return ret == -ENODEV ? ret : 0;
}

static int file_backing(struct kvfs_node *node, struct kvfs_err *err)
{
	const struct trace_file *file = to_file(node);
	int ret = kvfs_tracefs_open(file->dir, true);

	return ret < 0 ? kvfs_err_sys(err, -ret, "cannot open trace_pipe_raw in %s", file->dir) : ret;
}

/*
 * Between opens the size is what tracefs tells. An open file has the exact one, as long as tracefs
 * tells the same as at the open; what is mapped cannot be resized. Under lockdown an open file
 * keeps its size.
 */
static int file_getattr(struct kvfs_node *node, struct kvfs_attr *out)
{
	struct trace_file *file = to_file(node);
	struct kvfs_trace_size size;
	int ret;

	/* A ring that cannot be mapped has no size, as trace_pipe_raw has none. */
	if (can_map(file, NULL) == -ENODEV)
		return 0;
	ret = kvfs_trace_size_load(file->dir, file->cpu, file->files->online, &size);
	pthread_mutex_lock(&file->lock);
	if (file->opens > 0 && (ret == -EPERM || (ret == 0 && kvfs_trace_size_equal(&size, &file->at_open)))) {
		size.len = file->len_at_open;
		ret = 0;
	}
	if (file->held.len)
		size.len = file->held.len;
	pthread_mutex_unlock(&file->lock);
	if (ret < 0)
		return ret;
	out->size = out->data_len = size.len;
	return 0;
}

static void file_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	kvfs_tracefs_path(to_file(node)->dir, out->source, sizeof(out->source));
}

static void free_file(struct trace_file *file)
{
	kvfs_trace_files_put(file->files);
	free(file->dir);
	free(file->label);
	free(file);
}

static void file_destroy(struct kvfs_node *node)
{
	struct trace_file *file = to_file(node);

	kvfs_trace_files_remove(file->files, &file->entry);
	pthread_mutex_destroy(&file->lock);
	free_file(file);
}

static const struct kvfs_blocking_ops blocking_ops = {
	.is_stream = ring_is_stream,
	.waits = ring_waits,
	.read = ring_read,
	.ioctl = ring_ioctl,
	.poll_fd = ring_poll_fd,
};

static const struct kvfs_file_ops file_ops = {
	.open = file_open,
	.release = file_release,
	.can_back = file_can_back,
	.backing = file_backing,
	.blocking = &blocking_ops,
	.open_disturbs = true,
};

/* The kernel keeps no name and no size: instances come and go, and rings are resized. */
static const struct kvfs_node_ops node_ops = {
	.kind = KVFS_NODE_FILE,
	.destroy = file_destroy,
	.getattr = file_getattr,
	.describe = file_describe,
	.file = &file_ops,
};

static bool get(struct kvfs_trace_entry *entry)
{
	return kvfs_node_try_get(&kvfs_list_entry(entry, struct trace_file, entry)->node);
}

struct wanted {
	struct kvfs_trace_files *files;
	const char *dir, *label;
	unsigned int cpu;
	uint64_t ino, parent_ino;
};

static struct kvfs_trace_entry *make(void *arg)
{
	const struct wanted *wanted = arg;
	struct trace_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->files = kvfs_trace_files_get(wanted->files);
	file->cpu = wanted->cpu;
	file->dir = strdup(wanted->dir);
	file->label = strdup(wanted->label);
	if (!file->dir || !file->label) {
		free_file(file);
		return NULL;
	}
	kvfs_node_init(&file->node, &node_ops, file->label, wanted->ino, wanted->parent_ino);
	pthread_mutex_init(&file->lock, NULL);
	return &file->entry;
}

int kvfs_trace_file_lookup(struct kvfs_trace_files *files, const char *dir, unsigned int cpu,
			   const char *label, uint64_t parent_ino, struct kvfs_node **out)
{
	struct wanted wanted = {
		.files = files,
		.dir = dir,
		.label = label,
		.cpu = cpu,
		.parent_ino = parent_ino,
	};
	struct kvfs_trace_entry *entry;
	int ret = kvfs_trace_listing_ring_ino(dir, &wanted.ino);

	if (ret < 0)
		return ret;
	wanted.ino = KVFS_INO(KVFS_PROVIDER_TRACE, wanted.ino);
	entry = kvfs_trace_files_lookup(files, wanted.ino, get, make, &wanted);
	if (!entry)
		return -ENOMEM;
	*out = &kvfs_list_entry(entry, struct trace_file, entry)->node;
	return 0;
}
