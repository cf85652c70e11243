// SPDX-License-Identifier: GPL-2.0-only
/* The functions of streams.c are this program's own, as they are a tool's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kview-exec/fds.h"
#include "kview-exec/memory.h"
#include "unit.h"

static int forgotten = -1;
static int kcore = -1;	/* the descriptor that is taken for /proc/kcore */

bool kvfs_fds_is_kcore(int fd)
{
	return fd == kcore;
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
	return fd == kcore ? syscall(SYS_pread64, fd, buf, len, off) : -EIO;
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

/* A line that is read after what the library answered begins where the tool is. */
START_TEST(test_lines_begin_where_fread_ended)
{
	char path[] = "/tmp/kview-exec-streams.XXXXXX", buf[8], *line = NULL;
	static const char text[] = "0123456789\nabcdefghi\nABCDEFGHI\n";
	size_t size = 0;
	FILE *file;

	kcore = mkstemp(path);
	ck_assert_int_ge(kcore, 0);
	ck_assert_int_eq(write(kcore, text, sizeof(text) - 1), sizeof(text) - 1);
	ck_assert_int_eq(unlink(path), 0);
	file = fdopen(kcore, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseeko(file, 0, SEEK_SET), 0);
	ck_assert_int_eq(fread(buf, 1, 4, file), 4);
	ck_assert_int_eq(__getdelim(&line, &size, '\n', file), 7);
	ck_assert_str_eq(line, "456789\n");
	ck_assert_int_eq(fseeko(file, 13, SEEK_SET), 0);
	ck_assert_int_eq(fread(buf, 1, 2, file), 2);
	ck_assert_ptr_nonnull(fgets_unlocked(buf, 4, file));
	ck_assert_str_eq(buf, "efg");
	free(line);
	fclose(file);
}
END_TEST

UNIT_MAIN("kview-exec/streams", test_closing_a_stream_without_a_descriptor_leaves_errno,
	  test_a_failed_freopen_forgets_the_descriptor, test_lines_begin_where_fread_ended)
