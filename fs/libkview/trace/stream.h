/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads of a ring that cannot be mapped: those of trace_pipe_raw, which consume. */
#ifndef KVFS_TRACE_STREAM_H
#define KVFS_TRACE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "trace/opening.h"

/*
 * Reads what comes next: at most one sub-buffer, or as much of one as len has room for. Without
 * nonblock it waits until there is something. Returns the bytes read, -EAGAIN, -EINTR if a
 * signal ended a wait, or -errno.
 */
ssize_t kvfs_trace_stream_read(struct kvfs_trace_opening *opening, bool nonblock, void *buf,
			       size_t len);

#endif /* KVFS_TRACE_STREAM_H */
