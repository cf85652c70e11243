// SPDX-License-Identifier: GPL-2.0-only
#include "trace/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define STATS_MAX 4096

static int join(const char *dir, const char *name, char *out, size_t len)
{
	return snprintf(out, len, "%s/%s", dir, name) < (int)len ? 0 : -ENAMETOOLONG;
}

int kvfs_tracefs_path(const char *dir, char *out, size_t len)
{
	return join(dir, "trace_pipe_raw", out, len);
}

int kvfs_tracefs_open(const char *dir, bool nonblock)
{
	char path[PATH_MAX];
	int ret = kvfs_tracefs_path(dir, path, sizeof(path));

	if (ret < 0)
		return ret;
	ret = open(path, O_RDONLY | O_CLOEXEC | (nonblock ? O_NONBLOCK : 0));
	return ret < 0 ? -errno : ret;
}

int kvfs_tracefs_map_error(int errnum, struct kvfs_err *err)
{
	switch (errnum) {
	case ENODEV:
		return kvfs_err_set(err, ENODEV, "this kernel cannot map the trace ring (Linux 6.10 or later can)");
	case EBUSY:
		return kvfs_err_set(err, EBUSY, "the trace ring cannot be mapped while a snapshot of it is in use");
	case EINVAL:
		return kvfs_err_set(err, EINVAL, "the CPU was never online and has no trace ring");
	}
	return kvfs_err_sys(err, errnum, "cannot map the trace ring");
}

/* Maps the meta page. As long as it is mapped, the geometry cannot change. */
static int map_meta(int fd, struct kvfs_tracefs_map *out, struct kvfs_err *err)
{
	size_t len = sysconf(_SC_PAGESIZE);
	void *mem = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	int ret;

	if (mem == MAP_FAILED)
		return kvfs_tracefs_map_error(errno, err);
	ret = kvfs_ring_parse_meta(mem, len, &out->meta, err);
	if (ret < 0) {
		munmap(mem, len);
		return ret;
	}
	out->mem = mem;
	out->len = len;
	return 0;
}

int kvfs_tracefs_map(int fd, struct kvfs_tracefs_map *out, struct kvfs_err *err)
{
	struct kvfs_tracefs_map meta = { 0 };
	int ret;

	memset(out, 0, sizeof(*out));
	ret = map_meta(fd, &meta, err);
	if (ret < 0)
		return ret;
	out->meta = meta.meta;
	out->len = kvfs_ring_len(&meta.meta);
	out->mem = mmap(NULL, out->len, PROT_READ, MAP_SHARED, fd, 0);
	if (out->mem == MAP_FAILED) {
		ret = kvfs_err_sys(err, errno, "cannot map the trace ring, %zu bytes", out->len);
		memset(out, 0, sizeof(*out));
	}
	kvfs_tracefs_unmap(&meta);
	return ret;
}

void kvfs_tracefs_unmap(struct kvfs_tracefs_map *map)
{
	if (map->mem)
		munmap(map->mem, map->len);
	memset(map, 0, sizeof(*map));
}

int kvfs_tracefs_measure(int fd, struct kvfs_ring_meta *out, struct kvfs_err *err)
{
	struct kvfs_tracefs_map meta = { 0 };
	int ret = map_meta(fd, &meta, err);

	*out = meta.meta;
	kvfs_tracefs_unmap(&meta);
	return ret;
}

int kvfs_tracefs_load_stats(const char *dir, struct kvfs_snapshot_stats *out)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len;
	int ret = join(dir, "stats", path, sizeof(path));

	if (ret == 0)
		ret = kvfs_io_read_file(path, STATS_MAX, &text, &len);
	return ret < 0 ? ret : kvfs_snapshot_parse_stats(text, out);
}

int kvfs_tracefs_copy(const char *dir, const struct kvfs_tracefs_map *map, void **out)
{
	struct kvfs_snapshot_stats before, after;
	void *copy;
	int ret;

	/* Pages of empty sub-buffers are never written and take no memory. */
	copy = mmap(NULL, map->len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (copy == MAP_FAILED)
		return -ENOMEM;
	ret = kvfs_tracefs_load_stats(dir, &before);
	if (ret == 0)
		ret = kvfs_snapshot_take(map->mem, &map->meta, copy);
	if (ret == 0)
		ret = kvfs_tracefs_load_stats(dir, &after);
	if (ret == 0)
		ret = kvfs_snapshot_settle(copy, &before, &after);
	if (ret < 0) {
		kvfs_tracefs_free_copy(copy, map->len);
		return ret;
	}
	*out = copy;
	return 0;
}

void kvfs_tracefs_free_copy(void *copy, size_t len)
{
	if (copy)
		munmap(copy, len);
}
