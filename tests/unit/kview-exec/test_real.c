// SPDX-License-Identifier: GPL-2.0-only
#include "kview-exec/real.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include "unit.h"

/* Results are the kernel's, and errno, which is the tool's, stays. */
START_TEST(test_calls)
{
	int file = unit_file("0123456789", 10);
	char buf[16];
	int fd;

	errno = E2BIG;
	fd = (int)kvfs_real_open(unit_path(file), O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(kvfs_real_fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
	ck_assert_int_eq(kvfs_real_pread(fd, buf, sizeof(buf), 4), 6);
	ck_assert_mem_eq(buf, "456789", 6);
	ck_assert_int_eq(kvfs_real_lseek(fd, 0, SEEK_CUR), 0);
	ck_assert_int_eq(kvfs_real_lseek(fd, -3, SEEK_END), 7);
	ck_assert_int_eq(kvfs_real_close(fd), 0);
	ck_assert_int_eq(errno, E2BIG);
	close(file);
}
END_TEST

START_TEST(test_errors)
{
	int file = unit_file("", 0);
	char byte;

	errno = E2BIG;
	ck_assert_int_eq(kvfs_real_open("/nonexistent", O_RDONLY), -ENOENT);
	ck_assert_int_eq(kvfs_real_close(-1), -EBADF);
	ck_assert_int_eq(kvfs_real_pread(-1, &byte, 1, 0), -EBADF);
	ck_assert_int_eq(kvfs_real_pread(file, &byte, 1, UINT64_MAX), -EINVAL);
	ck_assert_int_eq(kvfs_real_lseek(file, -1, SEEK_SET), -EINVAL);
	ck_assert_int_eq(kvfs_real_fcntl(-1, F_GETFD, 0), -EBADF);
	ck_assert_int_eq(errno, E2BIG);
	close(file);
}
END_TEST

/* Stands in front of libc's, as the library's functions do. */
int getdtablesize(void)
{
	return -1;
}

START_TEST(test_find)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(REAL(getdtablesize)(), (int)limit.rlim_cur);
	ck_assert_int_eq(getdtablesize(), -1);
}
END_TEST

UNIT_MAIN("kview-exec/real", test_calls, test_errors, test_find)
