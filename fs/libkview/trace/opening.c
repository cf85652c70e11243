// SPDX-License-Identifier: GPL-2.0-only
#include "trace/opening.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/tracefs.h"

int kvfs_trace_opening_create(const char *dir, struct kvfs_trace_opening **out)
{
	struct kvfs_trace_opening *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->fd = kvfs_tracefs_open(dir, true);
	if (o->fd < 0) {
		int ret = o->fd;

		free(o);
		return ret;
	}
	o->dir = dir;
	o->waiting_fd = -1;
	pthread_mutex_init(&o->lock, NULL);
	*out = o;
	return 0;
}

void kvfs_trace_opening_destroy(struct kvfs_trace_opening *o)
{
	if (!o)
		return;
	kvfs_tracefs_free_copy(o->copy, o->copy_len);
	if (o->waiting_fd >= 0)
		close(o->waiting_fd);
	close(o->fd);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

/* With the lock held: makes a copy of the ring as it is now. */
static int take_copy(struct kvfs_trace_opening *o)
{
	struct kvfs_tracefs_map map;
	void *copy;
	int ret = kvfs_tracefs_map(o->fd, &map, NULL);

	if (ret < 0)
		return ret == -EINVAL ? -ENODEV : ret;
	ret = kvfs_tracefs_copy(o->dir, &map, &copy);
	if (ret == 0) {
		kvfs_tracefs_free_copy(o->copy, o->copy_len);
		o->copy = copy;
		o->copy_len = map.len;
	}
	kvfs_tracefs_unmap(&map);
	return ret;
}

ssize_t kvfs_trace_opening_read(struct kvfs_trace_opening *o, void *buf, size_t len, uint64_t off)
{
	ssize_t ret = 0;

	pthread_mutex_lock(&o->lock);
	if (!o->copy || off == 0)
		ret = take_copy(o);
	if (ret == 0 && off < o->copy_len) {
		ret = len < o->copy_len - off ? len : o->copy_len - off;
		memcpy(buf, (const char *)o->copy + off, ret);
	}
	pthread_mutex_unlock(&o->lock);
	return ret;
}

int kvfs_trace_opening_fd(struct kvfs_trace_opening *o, bool nonblock)
{
	int ret;

	if (nonblock)
		return o->fd;
	pthread_mutex_lock(&o->lock);
	if (o->waiting_fd < 0)
		o->waiting_fd = kvfs_tracefs_open(o->dir, false);
	ret = o->waiting_fd;
	pthread_mutex_unlock(&o->lock);
	return ret;
}
