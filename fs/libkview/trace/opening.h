/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One open of a ring: its trace_pipe_raw and the copy that it reads. Any number of threads may
 * use one.
 */
#ifndef KVFS_TRACE_OPENING_H
#define KVFS_TRACE_OPENING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct kvfs_trace_opening {
	const char *dir;		/* the ring's folder; borrowed */
	int fd;				/* trace_pipe_raw, O_NONBLOCK */
	bool stream;			/* the ring cannot be mapped: read with trace/stream.h */
	pthread_mutex_t lock;		/* all below */
	int waiting_fd;			/* the same without O_NONBLOCK, once it is needed; or -1 */
	void *copy;			/* what was read last at offset 0 */
	size_t copy_len;
};

/* Opens the ring in the folder dir, which is borrowed. Returns 0, -ENOMEM, or why it cannot. */
int kvfs_trace_opening_create(const char *dir, struct kvfs_trace_opening **out);
/* NULL is allowed. */
void kvfs_trace_opening_destroy(struct kvfs_trace_opening *opening);

/*
 * Reads [off, off + len) of a consistent copy, which is made at offset 0 and by the first read.
 * Consumes nothing. Returns the bytes read, 0 past the end, or -errno as of kvfs_tracefs_map() and
 * kvfs_tracefs_copy(), but -ENODEV where the CPU has no ring.
 */
ssize_t kvfs_trace_opening_read(struct kvfs_trace_opening *opening, void *buf, size_t len,
				uint64_t off);

/*
 * Returns the descriptor of trace_pipe_raw whose calls wait, or with nonblock the one whose
 * calls do not; -errno if it cannot be opened.
 */
int kvfs_trace_opening_fd(struct kvfs_trace_opening *opening, bool nonblock);

#endif /* KVFS_TRACE_OPENING_H */
