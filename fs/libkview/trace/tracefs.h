/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace ring of one CPU in tracefs: a folder per_cpu/cpuN with trace_pipe_raw and stats.
 * Follows kernel/trace/trace.c (tracing_buffers_fops) of Linux 6.12.
 *
 * What holds a ring: an open trace_pipe_raw pins its instance, a mapping forbids to resize
 * the ring and to take snapshots of it. Whoever maps it first has all its sub-buffers
 * numbered anew, in their order, and the meta page brought up to date.
 */
#ifndef KVFS_TRACE_TRACEFS_H
#define KVFS_TRACE_TRACEFS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "trace/ring.h"

/* A whole ring, mapped; all zero if there is none. */
struct kvfs_tracefs_map {
	void *mem;
	size_t len;
	struct kvfs_ring_meta meta;	/* as it was then; the geometry stays */
};

/* The path of trace_pipe_raw in the folder dir. Returns 0, or -ENAMETOOLONG. */
int kvfs_tracefs_path(const char *dir, char *out, size_t len);

/* Opens trace_pipe_raw. Returns a descriptor or -errno. */
int kvfs_tracefs_open(const char *dir, bool nonblock);

/*
 * Maps the ring of a trace_pipe_raw. Returns 0 or -errno and the reason:
 *  -ENODEV    this kernel (before 6.10), or this ring (of a fixed place in memory), cannot be
 *             mapped
 *  -EBUSY     a snapshot of the ring is in use
 *  -EINVAL    the CPU was never online, there is no ring
 *  -EBADMSG   a geometry that makes no sense
 */
int kvfs_tracefs_map(int fd, struct kvfs_tracefs_map *out, struct kvfs_err *err);

/* All zero is allowed, and is what is left. */
void kvfs_tracefs_unmap(struct kvfs_tracefs_map *map);

/* The geometry alone, with a mapping that is gone when it returns. Errors as above. */
int kvfs_tracefs_measure(int fd, struct kvfs_ring_meta *out, struct kvfs_err *err);

/*
 * A consistent copy of the mapped ring (ringcopy.h) of folder dir; *out has map->len bytes,
 * for kvfs_tracefs_free_copy(). Nothing is consumed. -ENOMEM, -EBUSY, or why the counters
 * cannot be read.
 */
int kvfs_tracefs_copy(const char *dir, const struct kvfs_tracefs_map *map, void **out);
void kvfs_tracefs_free_copy(void *copy, size_t len);

#endif /* KVFS_TRACE_TRACEFS_H */
