// SPDX-License-Identifier: GPL-2.0-only
#include "trace/stream.h"

#include <errno.h>
#include <unistd.h>

/*
 * The kernel keeps the rest of a sub-buffer that was read in part with the descriptor, so one
 * descriptor does all reads. The other one waits: a read that has no room for the header of a
 * sub-buffer takes nothing, and returns once there is something (ring_buffer_read_page(), 6.12).
 * poll(2) would wait until buffer_percent of the ring is full.
 */
ssize_t kvfs_trace_stream_read(struct kvfs_trace_opening *o, bool nonblock, void *buf, size_t len)
{
	for (;;) {
		ssize_t ret = read(o->fd, buf, len);
		char byte;
		int fd;

		if (ret >= 0)
			return ret;
		if (errno != EAGAIN || nonblock)
			return -errno;
		fd = kvfs_trace_opening_fd(o, false);
		if (fd < 0)
			return fd;
		if (read(fd, &byte, sizeof(byte)) < 0)
			return -errno;
	}
}
