/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies of a trace ring that is being written: ringbuf.h has its layout.
 *
 * There is no lock that user space could take, and none is needed. The kernel appends to
 * one sub-buffer at a time and never touches data below its commit word; it takes a
 * sub-buffer into use again by setting that word to 0, then writes the new time stamp, then
 * the data, then the word; and it finishes a sub-buffer before the first commit to the next
 * one (rb_tail_page_update() and rb_set_commit_to_write() in kernel/trace/ring_buffer.c).
 * So the header tells whether a copy is whole, and the newest sub-buffer with data makes
 * all older ones final.
 */
#ifndef KVFS_TRACE_SNAPSHOT_H
#define KVFS_TRACE_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "trace/ring.h"

/*
 * Copies a whole ring as it was at one moment: what was committed up to then and not yet
 * overwritten, without a gap. If the writer overwrites the oldest sub-buffers while they
 * are copied, the copy begins behind them. live: the mapping, with the geometry of meta;
 * copy: kvfs_ring_len(meta) bytes, all zero. What a sub-buffer holds behind its commit
 * stays zero. Nothing is consumed. kvfs_snapshot_settle() is to follow.
 * Returns 0, -ENOMEM, or -EBUSY if the ring goes round faster than a sub-buffer is copied.
 */
int kvfs_snapshot_take(const void *live, const struct kvfs_ring_meta *meta, void *copy);

/* Of per_cpu/cpuN/stats: these are always fresh, unlike the meta page, and cost no event. */
struct kvfs_snapshot_stats {
	uint64_t unread;	/* "entries" */
	uint64_t overrun;
	uint64_t dropped;
	uint64_t read;
};

/* Pure. Returns 0, or -EBADMSG if a number is missing. */
int kvfs_snapshot_parse_stats(const char *text, struct kvfs_snapshot_stats *out);

/*
 * Makes the meta page of a snapshot agree with its sub-buffers. What the reader has left
 * behind while they were copied is dropped. before and after are from the two sides of
 * kvfs_snapshot_take(), or NULL; with them the counters are brought up to date, as a
 * call of GET_READER would, so that entries - overrun - read is the number of unread events
 * in the snapshot; and if the reader was moved past the mapping (by trace_pipe, or read(2)
 * of trace_pipe_raw), of which the meta page does not learn, it is put where it must be.
 * Returns 0, -ENOMEM or -EBADMSG.
 */
int kvfs_snapshot_settle(void *copy, const struct kvfs_snapshot_stats *before,
			 const struct kvfs_snapshot_stats *after);

/*
 * A copy that is made as it is looked at, for those who can only have a mapping of a copy.
 * The first look after a refresh chooses the moment; a sub-buffer is copied when it is looked
 * at first, as it was then, or left out if it was overwritten meanwhile. The counters of the
 * meta page are those of the mapping. Not locked: the caller does.
 */
struct kvfs_image;

/* live is borrowed for the life of the image. -ENOMEM. */
int kvfs_image_create(const void *live, const struct kvfs_ring_meta *meta,
		      struct kvfs_image **out);
/* NULL is allowed. */
void kvfs_image_destroy(struct kvfs_image *image);

/* The next look is at a new copy. */
void kvfs_image_refresh(struct kvfs_image *image);

/* Bytes [off, off + len) of the image into buf. Returns their number, 0 past the end. */
size_t kvfs_image_read(struct kvfs_image *image, void *buf, size_t len, uint64_t off);

#endif /* KVFS_TRACE_SNAPSHOT_H */
