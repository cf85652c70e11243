/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Consistent copies of a trace ring that is being written: trace/scan.h says why they can be
 * made without a lock.
 */
#ifndef KVFS_TRACE_SNAPSHOT_H
#define KVFS_TRACE_SNAPSHOT_H

#include <stdint.h>

#include "trace/ring.h"

/*
 * Copies a whole ring as it was at one moment: all that was committed by then and not yet
 * overwritten, without a gap. If the writer overwrites the oldest sub-buffers meanwhile, the
 * copy begins after them. mapped: a mapping of the ring, with the geometry of meta; copy:
 * kvfs_ring_len(meta) bytes, all zero. Bytes after the committed data of a sub-buffer stay zero.
 * Nothing is consumed. The caller calls kvfs_snapshot_settle() next.
 * Returns 0, -ENOMEM, or -EBUSY if the writer goes round the ring faster than a sub-buffer is
 * copied.
 */
int kvfs_snapshot_take(const void *mapped, const struct kvfs_ring_meta *meta, void *copy);

/* Counters of per_cpu/cpuN/stats. Unlike those of the meta page they are always fresh. */
struct kvfs_snapshot_stats {
	uint64_t unread;	/* "entries" */
	uint64_t overrun;
	uint64_t dropped;
	uint64_t read;
};

/* Pure. Returns 0, or -EBADMSG if a counter is missing. */
int kvfs_snapshot_parse_stats(const char *text, struct kvfs_snapshot_stats *out);

/*
 * Makes the meta page of a snapshot agree with its sub-buffers, and drops the sub-buffers that
 * the reader finished while they were copied.
 *
 * before and after are counters read before and after kvfs_snapshot_take(), or both NULL. With
 * them the meta page gets fresh counters, as GET_READER would write them: entries - overrun -
 * read is the number of unread events in the snapshot. If trace_pipe or read(2) of
 * trace_pipe_raw has moved the reader, which the meta page does not show, the reader is placed
 * where it must be.
 *
 * Returns 0, -ENOMEM, or -EBADMSG if the copy or its counters contradict themselves.
 */
int kvfs_snapshot_settle(void *copy, const struct kvfs_snapshot_stats *before,
			 const struct kvfs_snapshot_stats *after);

#endif /* KVFS_TRACE_SNAPSHOT_H */
