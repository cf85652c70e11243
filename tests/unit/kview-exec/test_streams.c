// SPDX-License-Identifier: GPL-2.0-only
/* The functions of streams.c are this program's own, as they are a tool's. */
#include <errno.h>
#include <stdio.h>

#include "kview-exec/fds.h"
#include "kview-exec/memory.h"
#include "unit.h"

static int forgotten = -1;

bool kvfs_fds_is_kcore(int fd)
{
	return false;
}

void kvfs_fds_forget(int fd)
{
	forgotten = fd;
}

void kvfs_fds_share(int fd)
{
}

ssize_t kvfs_memory_pread(int fd, void *buf, size_t len, uint64_t off)
{
	return -EIO;
}

START_TEST(test_closing_a_stream_without_a_descriptor_leaves_errno)
{
	char text[] = "text";
	FILE *file = fmemopen(text, sizeof(text), "r");

	ck_assert_ptr_nonnull(file);
	errno = 0;
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(errno, 0);
}
END_TEST

/* Its number is free then, and the next pipe(2) may get it. */
START_TEST(test_a_failed_freopen_forgets_the_descriptor)
{
	ck_assert_ptr_null(freopen("/dev/null/none", "r", stdin));
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_int_eq(forgotten, STDIN_FILENO);
	ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFD), -1);
}
END_TEST

UNIT_MAIN("kview-exec/streams", test_closing_a_stream_without_a_descriptor_leaves_errno,
	  test_a_failed_freopen_forgets_the_descriptor)
