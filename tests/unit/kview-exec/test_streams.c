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

/* A file of "0123456789\n" and two such lines of letters, which is taken for /proc/kcore. */
static FILE *open_lines(void)
{
	static const char text[] = "0123456789\nabcdefghi\nABCDEFGHI\n";
	char path[] = "/tmp/kview-exec-streams.XXXXXX";
	FILE *file;

	kcore = mkstemp(path);
	ck_assert_int_ge(kcore, 0);
	ck_assert_int_eq(write(kcore, text, sizeof(text) - 1), sizeof(text) - 1);
	ck_assert_int_eq(lseek(kcore, 0, SEEK_SET), 0);
	ck_assert_int_eq(unlink(path), 0);
	file = fdopen(kcore, "r");
	ck_assert_ptr_nonnull(file);
	return file;
}

/* Reads len bytes at off, which the library answers. */
static void answered(FILE *file, long off, size_t len)
{
	char buf[32];

	ck_assert_int_eq(fseeko(file, off, SEEK_SET), 0);
	ck_assert_uint_eq(fread(buf, 1, len, file), len);
}

START_TEST(test_lines_begin_where_fread_ended)
{
	FILE *file = open_lines();
	char buf[8], *line = NULL;
	size_t size = 0;

	answered(file, 0, 4);
	ck_assert_int_eq(__getdelim(&line, &size, '\n', file), 7);
	ck_assert_str_eq(line, "456789\n");
	answered(file, 13, 2);
	ck_assert_ptr_nonnull(fgets_unlocked(buf, 4, file));
	ck_assert_str_eq(buf, "efg");
	free(line);
	fclose(file);
}
END_TEST

/* What an optimised program makes of getc_unlocked(). */
static int inlined_getc(FILE *file)
{
	return file->_IO_read_ptr >= file->_IO_read_end ? __uflow(file) : *(unsigned char *)file->_IO_read_ptr++;
}

START_TEST(test_inlined_getc_reads_where_fread_ended)
{
	FILE *file = open_lines();

	/* libc has the file's start in its buffer then. */
	ck_assert_int_eq(inlined_getc(file), '0');
	answered(file, 11, 3);
	ck_assert_int_eq(inlined_getc(file), 'd');
	ck_assert_int_eq(inlined_getc(file), 'e');
	answered(file, 2, 1);
	ck_assert_int_eq(inlined_getc(file), '3');
	ck_assert_int_eq(ftello(file), 4);
	fclose(file);
}
END_TEST

START_TEST(test_formatted_input_begins_where_fread_ended)
{
	FILE *file = open_lines();
	int number;

	answered(file, 0, 7);
	ck_assert_int_eq(fscanf(file, "%d", &number), 1);
	ck_assert_int_eq(number, 789);
	fclose(file);
}
END_TEST

/* It may be another byte than the file's. */
START_TEST(test_a_byte_that_was_pushed_back_is_read_first)
{
	FILE *file = open_lines();
	char buf[8];

	answered(file, 0, 4);
	ck_assert_int_eq(ungetc('X', file), 'X');
	ck_assert_int_eq(ftello(file), 3);
	ck_assert_uint_eq(fread(buf, 1, 3, file), 3);
	ck_assert_mem_eq(buf, "X45", 3);
	ck_assert_uint_eq(fread(buf, 1, 2, file), 2);
	ck_assert_mem_eq(buf, "67", 2);
	/* A seek drops it. */
	ck_assert_int_eq(ungetc('Y', file), 'Y');
	answered(file, 11, 1);
	ck_assert_uint_eq(fread(buf, 1, 2, file), 2);
	ck_assert_mem_eq(buf, "bc", 2);
	/* Relative to a byte that was pushed back. */
	ck_assert_int_eq(ungetc('Z', file), 'Z');
	ck_assert_int_eq(fseeko(file, 1, SEEK_CUR), 0);
	ck_assert_uint_eq(fread(buf, 1, 1, file), 1);
	ck_assert_int_eq(buf[0], 'd');
	fclose(file);
}
END_TEST

START_TEST(test_words_begin_where_fread_ended)
{
	FILE *file = open_lines();
	int word;

	answered(file, 11, 2);
	word = getw(file);
	ck_assert_mem_eq(&word, "cdef", 4);
	fclose(file);
}
END_TEST

UNIT_MAIN("kview-exec/streams", test_closing_a_stream_without_a_descriptor_leaves_errno,
	  test_a_failed_freopen_forgets_the_descriptor, test_lines_begin_where_fread_ended,
	  test_inlined_getc_reads_where_fread_ended, test_formatted_input_begins_where_fread_ended,
	  test_a_byte_that_was_pushed_back_is_read_first, test_words_begin_where_fread_ended)
