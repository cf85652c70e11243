/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One ring, as a run of events: consumed from a mapping of trace/cpuN (or of trace_pipe_raw),
 * or walked in a saved copy of it.
 */
#ifndef KVFS_KVIEW_TRACE_RING_H
#define KVFS_KVIEW_TRACE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "trace/ring.h"

struct ring {
	const char *path;		/* borrowed */
	int cpu;
	bool live;
	int fd;
	const uint8_t *mem;
	size_t len;
	struct kvfs_ring_meta meta;	/* as it was at the start */
	/* Where it is. */
	struct kvfs_ring_cursor cursor;
	uint32_t id;			/* sub-buffer of the cursor */
	uint64_t time_stamp;		/* of that sub-buffer, when it was begun */
	uint32_t *order;		/* of a saved copy: the sub-buffers, oldest first */
	int nr_order, next_order;
	/* The next event, if there is one. */
	bool pending;
	struct kvfs_ring_event event;
	/* Lost before it: set when a new sub-buffer begins, for the caller to clear. */
	bool lost;
	uint64_t nr_lost;		/* 0: nobody knows how many */
	/* So far. */
	uint64_t events;
	uint64_t events_lost;
	bool broken;			/* something in it does not fit together */
};

/* Maps a ring that is being written. 0, or -errno and what is wrong. */
int ring_open_live(struct ring *ring, const char *path, int cpu, struct kvfs_err *err);

/* Maps a saved copy. The same. */
int ring_open_saved(struct ring *ring, const char *path, int cpu, struct kvfs_err *err);

void ring_close(struct ring *ring);

/*
 * Makes an event pending if there is one; in a live ring that moves the reader on, once
 * what it is on is used up. The event stays where it is until the next call. Returns 1, 0 if
 * there is nothing now (in a saved copy: any more), or -errno.
 */
int ring_fill(struct ring *ring);

/* Goes past the pending event; pending is false if the next one needs a ring_fill(). */
void ring_advance(struct ring *ring);

#endif /* KVFS_KVIEW_TRACE_RING_H */
