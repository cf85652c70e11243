// SPDX-License-Identifier: GPL-2.0-only
#include "base/io.h"

#include <errno.h>

#include "base/cleanup.h"
#include "failalloc.h"
#include "unit.h"

/* pread(2) that reads at most pread_max bytes a call, and fails at the call that a test names. */
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off);
ssize_t __real_pread(int fd, void *buf, size_t len, off_t off);
ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t off);

static size_t pread_max = SIZE_MAX;
static int pread_calls, pread_fail_at = -1, pread_failures = 1, pread_errno, pread_eintr_at = -1;

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off)
{
	int call = pread_calls++;

	if (call == pread_eintr_at) {
		errno = EINTR;
		return -1;
	}
	if (pread_fail_at >= 0 && call >= pread_fail_at && call < pread_fail_at + pread_failures) {
		errno = pread_errno;
		return -1;
	}
	return __real_pread(fd, buf, len < pread_max ? len : pread_max, off);
}

ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t off)
{
	return __wrap_pread(fd, buf, len, off);
}

static const char digits[] = "0123456789";

START_TEST(pread_carries_on)
{
	int fd = unit_file(digits, 10);
	char buf[16];

	pread_max = 3;
	pread_eintr_at = 1;
	ck_assert_int_eq(kvfs_io_pread(fd, buf, 10, 0), 10);
	ck_assert_mem_eq(buf, digits, 10);
	ck_assert_int_eq(pread_calls, 5);
	close(fd);
}
END_TEST

START_TEST(pread_stops_at_the_end)
{
	int fd = unit_file(digits, 10);
	char buf[16];

	ck_assert_int_eq(kvfs_io_pread(fd, buf, 16, 4), 6);
	ck_assert_mem_eq(buf, digits + 4, 6);
	ck_assert_int_eq(kvfs_io_pread(fd, buf, 16, 10), 0);
	ck_assert_int_eq(kvfs_io_pread(fd, buf, 16, 1ULL << 40), 0);
	ck_assert_int_eq(kvfs_io_pread(fd, buf, 0, 0), 0);
	close(fd);
}
END_TEST

START_TEST(pread_errors)
{
	int fd = unit_file(digits, 10);
	char buf[16];

	pread_fail_at = 0;
	pread_errno = EIO;
	ck_assert_int_eq(kvfs_io_pread(fd, buf, 10, 0), -EIO);
	pread_calls = 0;
	pread_fail_at = 2;
	pread_max = 2;
	ck_assert_int_eq(kvfs_io_pread(fd, buf, 10, 0), 4);
	ck_assert_int_eq(kvfs_io_pread(-1, buf, 1, 0), -EBADF);
	close(fd);
}
END_TEST

START_TEST(pread_at_the_end_of_offsets)
{
	int fd = unit_file(digits, 10);
	char buf[16];

	ck_assert_int_eq(kvfs_io_pread(fd, buf, 1, 1ULL << 63), -EOVERFLOW);
	ck_assert_int_eq(kvfs_io_pread(fd, buf, 1, UINT64_MAX), -EOVERFLOW);
	ck_assert_int_eq(kvfs_io_pread(fd, buf, 16, INT64_MAX), 0);
	ck_assert_int_eq(kvfs_io_pread(fd, buf, 16, INT64_MAX - 8), 0);
	close(fd);
}
END_TEST

START_TEST(pread_exact)
{
	int fd = unit_file(digits, 10);
	char buf[16];

	ck_assert_int_eq(kvfs_io_pread_exact(fd, buf, 10, 0), 0);
	ck_assert_int_eq(kvfs_io_pread_exact(fd, buf, 10, 1), -ENODATA);
	ck_assert_int_eq(kvfs_io_pread_exact(-1, buf, 10, 1), -EBADF);
	/* An error after some bytes is that error, not the end of the file. */
	pread_max = 3;
	pread_errno = EIO;
	pread_failures = 2;
	pread_fail_at = pread_calls + 1;
	ck_assert_int_eq(kvfs_io_pread_exact(fd, buf, 10, 0), -EIO);
	close(fd);
}
END_TEST

START_TEST(read_file_gets_it_all)
{
	static char big[100000];
	size_t len;
	char *text;
	int fd;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7);
	fd = unit_file(big, sizeof(big));
	ck_assert_int_eq(kvfs_io_read_file(unit_path(fd), 1 << 20, &text, &len), 0);
	ck_assert_uint_eq(len, sizeof(big));
	ck_assert_mem_eq(text, big, len);
	ck_assert_int_eq(text[len], '\0');
	free(text);
	close(fd);
	ck_assert_int_eq(kvfs_io_read_file("/proc/self/stat", 1 << 20, &text, &len), 0);
	ck_assert_uint_eq(strlen(text), len);
	ck_assert_uint_gt(len, 0);
	free(text);
}
END_TEST

START_TEST(read_file_keeps_to_max)
{
	int fd = unit_file(digits, 10);
	size_t len;
	char *text;

	ck_assert_int_eq(kvfs_io_read_file(unit_path(fd), 10, &text, &len), 0);
	ck_assert_uint_eq(len, 10);
	free(text);
	ck_assert_int_eq(kvfs_io_read_file(unit_path(fd), 9, &text, &len), -EFBIG);
	ck_assert_int_eq(kvfs_io_read_file(unit_path(fd), 0, &text, &len), -EFBIG);
	close(fd);
	fd = unit_file(NULL, 0);
	ck_assert_int_eq(kvfs_io_read_file(unit_path(fd), 0, &text, &len), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_str_eq(text, "");
	free(text);
	close(fd);
}
END_TEST

START_TEST(read_file_errors)
{
	size_t len;
	char *text;
	int fd = unit_file(digits, 10), ret;

	ck_assert_int_eq(kvfs_io_read_file("/nonexistent", 10, &text, &len), -ENOENT);
	ck_assert_int_eq(kvfs_io_read_file("/", 10, &text, &len), -EISDIR);
	failalloc_try_all(ret, ret = kvfs_io_read_file(unit_path(fd), 10, &text, &len));
	ck_assert_int_eq(ret, 0);
	free(text);
	close(fd);
}
END_TEST

static int use_and_keep(bool keep, int fd_in)
{
	_cleanup_close_ int fd = fd_in;
	_cleanup_free_ char *p = malloc(8);

	ck_assert_ptr_nonnull(p);
	errno = ENOTTY;
	if (keep) {
		char *kept = kvfs_steal_ptr(p);

		ck_assert_ptr_null(p);
		free(kept);
		return kvfs_steal_fd(&fd);
	}
	return -1;
}

START_TEST(cleanup_closes_unless_stolen)
{
	int a = unit_file(NULL, 0), b = unit_file(NULL, 0);

	ck_assert_int_eq(use_and_keep(true, a), a);
	ck_assert_int_ge(fcntl(a, F_GETFD), 0);
	ck_assert_int_eq(use_and_keep(false, b), -1);
	ck_assert_int_eq(errno, ENOTTY);
	ck_assert_int_eq(fcntl(b, F_GETFD), -1);
	close(a);
}
END_TEST

UNIT_MAIN("io", pread_carries_on, pread_stops_at_the_end, pread_errors, pread_at_the_end_of_offsets,
	  pread_exact, read_file_gets_it_all, read_file_keeps_to_max, read_file_errors,
	  cleanup_closes_unless_stolen)
