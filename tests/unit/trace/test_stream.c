// SPDX-License-Identifier: GPL-2.0-only
/* Reads of a stand-in for trace_pipe_raw: a pipe, whose other end opens and closes as told. */
#include "trace/stream.h"

#include <errno.h>
#include <fcntl.h>

#include "unit.h"

static int pipes[2], fd_errno, zero = -1;
static unsigned int nr_waits;

int __wrap_kvfs_trace_opening_fd(struct kvfs_trace_opening *opening, bool nonblock);

/* The descriptor that waits: a read of it returns at once, and by then there is something. */
int __wrap_kvfs_trace_opening_fd(struct kvfs_trace_opening *opening, bool nonblock)
{
	if (fd_errno)
		return -fd_errno;
	nr_waits++;
	if (write(pipes[1], "event", 5) != 5)
		return -EIO;
	if (zero < 0)
		zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	return zero;
}

static struct kvfs_trace_opening make(void)
{
	ck_assert_int_eq(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
	return (struct kvfs_trace_opening) { .fd = pipes[0], .waiting_fd = -1 };
}

START_TEST(what_is_there)
{
	struct kvfs_trace_opening opening = make();
	char buf[16];

	ck_assert_int_eq(write(pipes[1], "0123456789", 10), 10);
	ck_assert_int_eq(kvfs_trace_stream_read(&opening, false, buf, 4), 4);
	ck_assert_int_eq(kvfs_trace_stream_read(&opening, false, buf, sizeof(buf)), 6);
	ck_assert_mem_eq(buf, "456789", 6);
	ck_assert_uint_eq(nr_waits, 0);
}
END_TEST

START_TEST(waits_if_it_may)
{
	struct kvfs_trace_opening opening = make();
	char buf[16];

	ck_assert_int_eq(kvfs_trace_stream_read(&opening, true, buf, sizeof(buf)), -EAGAIN);
	ck_assert_uint_eq(nr_waits, 0);
	ck_assert_int_eq(kvfs_trace_stream_read(&opening, false, buf, sizeof(buf)), 5);
	ck_assert_mem_eq(buf, "event", 5);
	ck_assert_uint_eq(nr_waits, 1);
}
END_TEST

START_TEST(errors)
{
	struct kvfs_trace_opening opening = make();
	char buf[16];

	fd_errno = EMFILE;
	ck_assert_int_eq(kvfs_trace_stream_read(&opening, false, buf, sizeof(buf)), -EMFILE);
	opening.fd = -1;
	ck_assert_int_eq(kvfs_trace_stream_read(&opening, false, buf, sizeof(buf)), -EBADF);
	close(pipes[1]);
	opening.fd = pipes[0];
	ck_assert_int_eq(kvfs_trace_stream_read(&opening, false, buf, sizeof(buf)), 0);
}
END_TEST

UNIT_MAIN("stream",
	what_is_there,
	waits_if_it_may,
	errors)
