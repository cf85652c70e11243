/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace ring of one CPU in tracefs: a folder per_cpu/cpuN with trace_pipe_raw and stats.
 * Follows tracing_buffers_fops of kernel/trace/trace.c (6.12).
 *
 * An open trace_pipe_raw holds its instance. A mapping also forbids resizing the ring and taking
 * snapshots of it. The first mapping of a ring numbers its sub-buffers in their order and updates
 * the meta page. Closing a trace_pipe_raw wakes all that wait for the ring.
 */
#ifndef KVFS_TRACE_TRACEFS_H
#define KVFS_TRACE_TRACEFS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "trace/ring.h"
#include "trace/snapshot.h"

/* A whole ring, mapped; all zero if there is none. */
struct kvfs_tracefs_map {
	void *mem;
	size_t len;
	struct kvfs_ring_meta meta;	/* as it was when it was mapped; the geometry stays */
};

/* Writes the path of trace_pipe_raw in the folder dir. Returns 0 or -ENAMETOOLONG. */
int kvfs_tracefs_path(const char *dir, char *out, size_t len);

/* Opens trace_pipe_raw. Returns a descriptor or -errno. */
int kvfs_tracefs_open(const char *dir, bool nonblock);

/*
 * Maps the ring of a trace_pipe_raw. Returns 0 or -errno and the reason:
 *  -ENODEV    this kernel (before 6.10), or this ring (at a fixed place in memory), cannot be
 *             mapped
 *  -EBUSY     a snapshot of the ring is in use
 *  -EINVAL    the CPU was never online and has no ring
 *  -EBADMSG   the geometry contradicts itself
 *  -ENOMEM
 */
int kvfs_tracefs_map(int fd, struct kvfs_tracefs_map *out, struct kvfs_err *err);

/* Records what such an error means and returns -errnum. */
int kvfs_tracefs_map_error(int errnum, struct kvfs_err *err);

/* Unmaps a ring. All zero is allowed, and is what it leaves. */
void kvfs_tracefs_unmap(struct kvfs_tracefs_map *map);

/* Loads the geometry, with a mapping that is gone on return. Errors as of kvfs_tracefs_map(). */
int kvfs_tracefs_measure(int fd, struct kvfs_ring_meta *out, struct kvfs_err *err);

/* Loads the counters of the ring in the folder dir. Opens no ring. 0, -EBADMSG or -errno. */
int kvfs_tracefs_load_stats(const char *dir, struct kvfs_snapshot_stats *out);

/*
 * Makes a consistent copy (trace/snapshot.h) of the mapped ring of the folder dir. *out has
 * map->len bytes; the caller frees it with kvfs_tracefs_free_copy(). Nothing is consumed.
 * Returns 0, -ENOMEM, -EBUSY, or why the counters cannot be read.
 */
int kvfs_tracefs_copy(const char *dir, const struct kvfs_tracefs_map *map, void **out);
void kvfs_tracefs_free_copy(void *copy, size_t len);	/* NULL is allowed */

#endif /* KVFS_TRACE_TRACEFS_H */
