/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One ring, as a run of events: consumed from a mapping of trace/cpuN or trace_pipe_raw, or
 * walked in a saved copy.
 */
#ifndef KVFS_KVIEW_TRACE_RING_H
#define KVFS_KVIEW_TRACE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "trace/ring.h"

struct ring {
	const char *path;		/* borrowed */
	const char *clock;		/* borrowed, the caller's to set; NULL: unknown */
	size_t index;			/* the caller's, to tell rings apart */
	int cpu;
	bool live;			/* it is being written, and its events are consumed */
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
	uint64_t nr_lost;		/* 0: the ring does not say how many */
	/* So far. */
	uint64_t events;
	uint64_t events_lost;
	bool broken;			/* its bytes contradict each other */
};

/*
 * Maps a ring that is being written. path is borrowed for the life of the ring. Returns 0, or -errno
 * and what is wrong; *ring is then closed.
 */
int ring_open_live(struct ring *ring, const char *path, int cpu, struct kvfs_err *err);

/* Maps a saved copy, likewise. */
int ring_open_saved(struct ring *ring, const char *path, int cpu, struct kvfs_err *err);

void ring_close(struct ring *ring);

/*
 * Makes an event pending if there is one. In a live ring that moves the reader, once the events
 * before it are used up. The bytes of the event stay until the next call. Returns 1, 0 if the
 * ring is empty now (a saved copy: for good), or -errno.
 */
int ring_fill(struct ring *ring);

/* Goes past the pending event. If the next one needs a ring_fill(), pending is false. */
void ring_advance(struct ring *ring);

#endif /* KVFS_KVIEW_TRACE_RING_H */
