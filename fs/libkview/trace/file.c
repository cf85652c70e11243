// SPDX-License-Identifier: GPL-2.0-only
#include "trace/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "trace/image.h"
#include "trace/tracefs.h"

struct kvfs_trace_files {
	_Atomic(unsigned int) refs;
	pthread_mutex_t lock;		/* the list, and the links in the files */
	struct tracefile *first;
};

struct tracefile {
	struct kvfs_node node;
	struct kvfs_trace_files *files;	/* a reference */
	struct tracefile *prev, *next;
	char *dir;
	char *label;
	pthread_mutex_t lock;		/* all below */
	unsigned int opens;
	int fd;				/* trace_pipe_raw while it is open, or -1 */
	struct kvfs_tracefs_map live;	/* mode copy only */
	struct kvfs_image *image;	/* of live, what is mapped */
	bool measured;			/* whether the ring can be mapped is known */
	int error;			/* 0, or -errno and why not */
	struct kvfs_err reason;
};

/* An opening. */
struct opening {
	int fd;				/* trace_pipe_raw, O_NONBLOCK */
	bool stream;			/* it cannot be mapped */
	pthread_mutex_t lock;		/* all below */
	int waiting_fd;			/* the same without O_NONBLOCK, once it is needed; or -1 */
	void *copy;			/* what was read last at offset 0 */
	size_t copy_len;
};

static struct tracefile *to_file(struct kvfs_node *node)
{
	return (struct tracefile *)node;
}

/*
 * With file->lock held: measures the ring. What the answer means for the mode is kept: a ring
 * that cannot be mapped never can. To close a trace_pipe_raw wakes all who wait for the ring,
 * so none is opened for this where one is open.
 */
static int measure(struct tracefile *file, struct kvfs_ring_meta *meta)
{
	_cleanup_close_ int fd = -1;

	if (file->fd < 0) {
		fd = kvfs_tracefs_open(file->dir, true);
		if (fd < 0)
			return fd;
	}
	file->measured = true;
	file->reason.msg[0] = '\0';
	file->error = kvfs_tracefs_measure(file->fd < 0 ? fd : file->fd, meta, &file->reason);
	return file->error;
}

/*
 * With file->lock held: 0 if the ring can be mapped, or -errno and the reason, as it was
 * when it was last tried.
 */
static int can_map(struct tracefile *file, struct kvfs_err *err)
{
	struct kvfs_ring_meta meta;
	int ret;

	if (!file->measured) {
		ret = measure(file, &meta);
		if (ret < 0 && !file->measured)
			return kvfs_err_sys(err, -ret, "cannot open trace_pipe_raw in %s", file->dir);
	}
	if (file->error < 0 && err)
		*err = file->reason;
	return file->error;
}

/* With file->lock held. */
static int enter(struct tracefile *file, struct opening *o)
{
	if (file->opens == 0) {
		file->fd = kvfs_tracefs_open(file->dir, true);
		if (file->fd < 0)
			return file->fd;
	}
	file->opens++;
	/* The kernel drops the page cache at each open. */
	if (file->image)
		kvfs_image_refresh(file->image);
	o->stream = can_map(file, NULL) == -ENODEV;
	return 0;
}

/* With file->lock held. */
static void leave(struct tracefile *file)
{
	if (--file->opens > 0)
		return;
	kvfs_image_destroy(file->image);
	file->image = NULL;
	kvfs_tracefs_unmap(&file->live);
	close(file->fd);
	file->fd = -1;
}

static int file_open(struct kvfs_node *node, void **handle)
{
	struct tracefile *file = to_file(node);
	struct opening *o = calloc(1, sizeof(*o));
	int ret;

	if (!o)
		return -ENOMEM;
	o->waiting_fd = -1;
	o->fd = ret = kvfs_tracefs_open(file->dir, true);
	if (ret >= 0) {
		pthread_mutex_lock(&file->lock);
		ret = enter(file, o);
		pthread_mutex_unlock(&file->lock);
		if (ret < 0)
			close(o->fd);
	}
	if (ret < 0) {
		free(o);
		return ret;
	}
	pthread_mutex_init(&o->lock, NULL);
	*handle = o;
	return 0;
}

static void file_release(struct kvfs_node *node, void *handle)
{
	struct tracefile *file = to_file(node);
	struct opening *o = handle;

	pthread_mutex_lock(&file->lock);
	leave(file);
	pthread_mutex_unlock(&file->lock);
	kvfs_tracefs_free_copy(o->copy, o->copy_len);
	if (o->waiting_fd >= 0)
		close(o->waiting_fd);
	close(o->fd);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

/* With o->lock held: a copy of the ring as it is now. */
static int take_copy(struct tracefile *file, struct opening *o)
{
	struct kvfs_tracefs_map map;
	void *copy;
	int ret = kvfs_tracefs_map(o->fd, &map, NULL);

	if (ret < 0)
		return ret == -EINVAL ? -ENODEV : ret;
	ret = kvfs_tracefs_copy(file->dir, &map, &copy);
	if (ret == 0) {
		kvfs_tracefs_free_copy(o->copy, o->copy_len);
		o->copy = copy;
		o->copy_len = map.len;
	}
	kvfs_tracefs_unmap(&map);
	return ret;
}

static ssize_t read_copy(struct tracefile *file, struct opening *o, void *buf, size_t len,
			 uint64_t off)
{
	ssize_t ret = 0;

	pthread_mutex_lock(&o->lock);
	if (!o->copy || off == 0)
		ret = take_copy(file, o);
	if (ret == 0 && off < o->copy_len) {
		ret = len < o->copy_len - off ? len : o->copy_len - off;
		memcpy(buf, (const char *)o->copy + off, ret);
	}
	pthread_mutex_unlock(&o->lock);
	return ret;
}

/* With file->lock held: the mapping that in mode copy stands for those of the users. */
static int hold(struct tracefile *file, const struct opening *o)
{
	int ret;

	if (file->image)
		return 0;
	ret = kvfs_tracefs_map(o->fd, &file->live, NULL);
	if (ret < 0)
		return ret;
	ret = kvfs_image_create(file->live.mem, &file->live.meta, &file->image);
	if (ret < 0)
		kvfs_tracefs_unmap(&file->live);
	return ret;
}

static ssize_t read_image(struct tracefile *file, struct opening *o, void *buf, size_t len,
			  uint64_t off)
{
	ssize_t ret;

	pthread_mutex_lock(&file->lock);
	ret = hold(file, o);
	if (ret == 0)
		ret = kvfs_image_read(file->image, buf, len, off);
	pthread_mutex_unlock(&file->lock);
	return ret;
}

/* The descriptor to wait with, or without. */
static int descriptor(struct tracefile *file, struct opening *o, bool nonblock)
{
	int ret;

	if (nonblock)
		return o->fd;
	pthread_mutex_lock(&o->lock);
	if (o->waiting_fd < 0)
		o->waiting_fd = kvfs_tracefs_open(file->dir, false);
	ret = o->waiting_fd;
	pthread_mutex_unlock(&o->lock);
	return ret;
}

/*
 * What is left of a sub-buffer that was read in part goes with the descriptor, so all reads are
 * from one. The other one is for waiting: a read that has no room for the header of a sub-buffer
 * takes nothing, and comes back when there is something (ring_buffer_read_page()). poll(2) would
 * not do, as it waits until buffer_percent is full.
 */
static ssize_t read_stream(struct tracefile *file, struct opening *o, bool nonblock, void *buf,
			   size_t len)
{
	for (;;) {
		ssize_t ret = read(o->fd, buf, len);
		char byte;
		int fd;

		if (ret >= 0)
			return ret;
		if (errno != EAGAIN || nonblock)
			return -errno;
		fd = descriptor(file, o, false);
		if (fd < 0)
			return fd;
		if (read(fd, &byte, sizeof(byte)) < 0)
			return -errno;
	}
}

static bool ring_is_stream(struct kvfs_node *node, void *handle)
{
	const struct opening *o = handle;

	return o->stream;
}

static bool ring_waits(struct kvfs_node *node, void *handle, const struct kvfs_request *request)
{
	const struct opening *o = handle;

	if (request->what == KVFS_REQUEST_IOCTL)
		return request->cmd == KVFS_RING_GET_READER &&
		       (!request->nonblock || request->mode == KVFS_MODE_COPY);
	return o->stream && !request->nonblock;
}

static ssize_t ring_read(struct kvfs_node *node, void *handle, const struct kvfs_request *request,
			 void *buf, size_t len, uint64_t off)
{
	struct tracefile *file = to_file(node);
	struct opening *o = handle;

	if (o->stream && request->what == KVFS_REQUEST_FILL)
		return -ENODEV;
	if (o->stream)
		return read_stream(file, o, request->nonblock, buf, len);
	if (request->what == KVFS_REQUEST_FILL && request->mode == KVFS_MODE_COPY)
		return read_image(file, o, buf, len, off);
	return read_copy(file, o, buf, len, off);
}

/* In mode copy the caller has no mapping that the kernel knows of: the daemon's is for him. */
static int hold_for_copy(struct tracefile *file, struct opening *o)
{
	int ret;

	pthread_mutex_lock(&file->lock);
	ret = hold(file, o);
	pthread_mutex_unlock(&file->lock);
	return ret;
}

static int get_reader(struct tracefile *file, struct opening *o,
		      const struct kvfs_request *request, bool *stale)
{
	int fd = descriptor(file, o, request->nonblock);

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
	struct opening *o = handle;

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
	const struct opening *o = handle;

	return o->fd;
}

static int file_can_back(struct kvfs_node *node, enum kvfs_mode *mode, struct kvfs_err *err)
{
	struct tracefile *file = to_file(node);
	int ret;

	pthread_mutex_lock(&file->lock);
	ret = can_map(file, err);
	pthread_mutex_unlock(&file->lock);
	*mode = KVFS_MODE_SPLIT;
	/* Other failures are of the moment: it is for the caller's mmap to meet them. */
	return ret == -ENODEV || ret == -ENOENT ? ret : 0;
}

static int file_backing(struct kvfs_node *node, struct kvfs_err *err)
{
	const struct tracefile *file = to_file(node);
	int ret = kvfs_tracefs_open(file->dir, true);

	return ret < 0 ? kvfs_err_sys(err, -ret, "cannot open trace_pipe_raw in %s", file->dir) : ret;
}

static int file_getattr(struct kvfs_node *node, struct kvfs_attr *out)
{
	struct tracefile *file = to_file(node);
	struct kvfs_ring_meta meta;
	int ret = 0;

	pthread_mutex_lock(&file->lock);
	if (file->live.len)
		out->size = file->live.len;
	else
		ret = measure(file, &meta);
	/* A ring that cannot be mapped has no size, as trace_pipe_raw has none. */
	if (ret == 0 && !file->live.len)
		out->size = kvfs_ring_len(&meta);
	pthread_mutex_unlock(&file->lock);
	out->data_len = out->size;
	return ret == -ENOENT ? ret : 0;
}

static void file_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	kvfs_tracefs_path(to_file(node)->dir, out->source, sizeof(out->source));
}

static void file_destroy(struct kvfs_node *node)
{
	struct tracefile *file = to_file(node);
	struct kvfs_trace_files *files = file->files;

	pthread_mutex_lock(&files->lock);
	if (file->prev)
		file->prev->next = file->next;
	else
		files->first = file->next;
	if (file->next)
		file->next->prev = file->prev;
	pthread_mutex_unlock(&files->lock);
	pthread_mutex_destroy(&file->lock);
	free(file->dir);
	free(file->label);
	free(file);
	kvfs_trace_files_put(files);
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
};

/* Nothing is kept by name or size: instances come and go, and rings are resized. */
static const struct kvfs_node_ops node_ops = {
	.kind = KVFS_NODE_FILE,
	.destroy = file_destroy,
	.getattr = file_getattr,
	.describe = file_describe,
	.file = &file_ops,
};

struct kvfs_trace_files *kvfs_trace_files_create(void)
{
	struct kvfs_trace_files *files = calloc(1, sizeof(*files));

	if (!files)
		return NULL;
	atomic_init(&files->refs, 1);
	pthread_mutex_init(&files->lock, NULL);
	return files;
}

struct kvfs_trace_files *kvfs_trace_files_get(struct kvfs_trace_files *files)
{
	atomic_fetch_add_explicit(&files->refs, 1, memory_order_relaxed);
	return files;
}

void kvfs_trace_files_put(struct kvfs_trace_files *files)
{
	if (!files || atomic_fetch_sub_explicit(&files->refs, 1, memory_order_acq_rel) > 1)
		return;
	pthread_mutex_destroy(&files->lock);
	free(files);
}

uint64_t kvfs_trace_file_ino(const char *dir)
{
	char path[PATH_MAX];
	struct stat st;

	if (kvfs_tracefs_path(dir, path, sizeof(path)) < 0 || stat(path, &st) < 0)
		return 0;
	/* tracefs gives each file of an instance a number that no other gets. */
	return KVFS_INO(KVFS_PROVIDER_TRACE, st.st_ino);
}

/* With files->lock held: the file, with a reference, unless it is on its way out. */
static struct tracefile *find(struct kvfs_trace_files *files, uint64_t ino)
{
	for (struct tracefile *file = files->first; file; file = file->next) {
		unsigned int refs = atomic_load(&file->node.refs);

		if (file->node.ino != ino)
			continue;
		while (refs > 0) {
			if (atomic_compare_exchange_weak(&file->node.refs, &refs, refs + 1))
				return file;
		}
	}
	return NULL;
}

static struct tracefile *create(const char *dir, const char *label, uint64_t ino,
				uint64_t parent_ino)
{
	struct tracefile *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->dir = strdup(dir);
	file->label = strdup(label);
	if (!file->dir || !file->label) {
		free(file->dir);
		free(file->label);
		free(file);
		return NULL;
	}
	file->fd = -1;
	kvfs_node_init(&file->node, &node_ops, file->label, ino, parent_ino);
	pthread_mutex_init(&file->lock, NULL);
	return file;
}

int kvfs_trace_files_lookup(struct kvfs_trace_files *files, const char *dir, const char *label,
			    uint64_t parent_ino, struct kvfs_node **out)
{
	uint64_t ino = kvfs_trace_file_ino(dir);
	struct tracefile *file;

	if (!ino)
		return -ENOENT;
	pthread_mutex_lock(&files->lock);
	file = find(files, ino);
	if (!file) {
		file = create(dir, label, ino, parent_ino);
		if (file) {
			file->files = kvfs_trace_files_get(files);
			file->next = files->first;
			if (files->first)
				files->first->prev = file;
			files->first = file;
		}
	}
	pthread_mutex_unlock(&files->lock);
	if (!file)
		return -ENOMEM;
	*out = &file->node;
	return 0;
}
