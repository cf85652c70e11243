// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file in memory stands for /proc/kcore, and reads that memory.h would answer are plain ones of
 * it. Each test is a process of its own, so each begins with an empty table.
 */
#include "kview-exec/fds.h"

#include <errno.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "kview-exec/memory.h"
#include "kview-exec/real.h"
#include "unit.h"

#define LEN 1000
#define PART 10			/* bytes of a read */

int __real_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __real_stat64(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st);
int __wrap_fstatfs(int fd, struct statfs *fs);
int __wrap_fstatfs64(int fd, struct statfs *fs);

static unsigned char bytes[LEN];
static int kcore = -1;
static long fs_type = PROC_SUPER_MAGIC;
static bool ready = true;
static int nr_asked;		/* calls of kvfs_memory_ready() */

int __wrap_stat(const char *path, struct stat *st)
{
	return strcmp(path, "/proc/kcore") == 0 ? fstat(kcore, st) : __real_stat(path, st);
}

int __wrap_stat64(const char *path, struct stat *st)
{
	return strcmp(path, "/proc/kcore") == 0 ? fstat(kcore, st) : __real_stat64(path, st);
}

int __wrap_fstatfs(int fd, struct statfs *fs)
{
	(void)fd;
	fs->f_type = fs_type;
	return 0;
}

int __wrap_fstatfs64(int fd, struct statfs *fs)
{
	return __wrap_fstatfs(fd, fs);
}

bool kvfs_memory_ready(int fd)
{
	(void)fd;
	nr_asked++;
	return ready;
}

ssize_t kvfs_memory_pread(int fd, void *buf, size_t len, uint64_t off)
{
	return kvfs_real_pread(fd, buf, len, off);
}

static void set_up(void)
{
	for (size_t i = 0; i < LEN; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 256);
	kcore = unit_file(bytes, LEN);
	ck_assert_int_eq(fchmod(kcore, 0400), 0);
}

/* As a tool has opened it, which is what the calls of the library see. */
static int open_here(void)
{
	int fd = open(unit_path(kcore), O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	kvfs_fds_opened(fd);
	ck_assert(kvfs_fds_is_kcore(fd));
	return fd;
}

/* Reads and checks that the bytes are those at off. */
static void read_at(int fd, size_t off)
{
	unsigned char buf[PART];

	ck_assert_int_eq(kvfs_fds_read(fd, buf, PART), PART);
	ck_assert_mem_eq(buf, bytes + off, PART);
}

static int64_t kernel_pos(int fd)
{
	return kvfs_real_lseek(fd, 0, SEEK_CUR);
}

START_TEST(test_judged_by_the_file)
{
	int fd, other;

	set_up();
	fd = open_here();
	for (int i = 0; i < 3; i++)
		ck_assert(kvfs_fds_is_kcore(fd));
	ck_assert_int_eq(nr_asked, 1);

	/* Another file of the same file system; a file that is not of procfs. */
	other = unit_file(bytes, LEN);
	ck_assert_int_eq(fchmod(other, 0400), 0);
	errno = E2BIG;
	ck_assert(!kvfs_fds_is_kcore(other));
	close(other);
	fs_type = TMPFS_MAGIC;
	kvfs_fds_forget(fd);
	ck_assert(!kvfs_fds_is_kcore(fd));
	ck_assert_int_eq(nr_asked, 1);
	ck_assert_int_eq(errno, E2BIG);

	/* No descriptors at all, and one past the table. */
	ck_assert(!kvfs_fds_is_kcore(-1));
	ck_assert(!kvfs_fds_is_kcore(100000));
	kvfs_fds_opened(-1);
	kvfs_fds_share(100000);
	kvfs_fds_forget(-1);
	ck_assert_int_eq(errno, E2BIG);
}
END_TEST

START_TEST(test_not_ready)
{
	set_up();
	ready = false;
	ck_assert(!kvfs_fds_is_kcore(kcore));
	ck_assert(!kvfs_fds_is_kcore(kcore));
	ck_assert_int_eq(nr_asked, 1);
}
END_TEST

/* The position of a file that was opened here is the library's, until the number is given up. */
START_TEST(test_own_position)
{
	unsigned char buf[PART];
	int fd;

	set_up();
	fd = open_here();
	read_at(fd, 0);
	read_at(fd, PART);
	ck_assert_int_eq(kernel_pos(fd), 0);
	ck_assert_int_eq(kvfs_fds_lseek(fd, 500, SEEK_SET), 500);
	read_at(fd, 500);
	ck_assert_int_eq(kvfs_fds_lseek(fd, -20, SEEK_CUR), 490);
	read_at(fd, 490);
	ck_assert_int_eq(kvfs_fds_lseek(fd, -4, SEEK_END), LEN - 4);
	/* A short read moves by what it had. */
	ck_assert_int_eq(kvfs_fds_read(fd, buf, PART), 4);
	ck_assert_int_eq(kvfs_fds_read(fd, buf, PART), 0);
	ck_assert_int_eq(kvfs_fds_lseek(fd, 0, SEEK_CUR), LEN);

	ck_assert_int_eq(kvfs_fds_lseek(fd, -1, SEEK_SET), -EINVAL);
	ck_assert_int_eq(kvfs_fds_lseek(fd, -LEN - 1, SEEK_CUR), -EINVAL);
	ck_assert_int_eq(kvfs_fds_lseek(fd, INT64_MAX, SEEK_CUR), -EOVERFLOW);
	ck_assert_int_eq(kvfs_fds_lseek(fd, 0, 99), -EINVAL);
	ck_assert_int_eq(kvfs_fds_lseek(fd, 0, SEEK_CUR), LEN);

	ck_assert_int_eq(kvfs_fds_lseek(fd, 70, SEEK_SET), 70);
	kvfs_fds_forget(fd);
	ck_assert_int_eq(kernel_pos(fd), 70);
}
END_TEST

/* The position of an open file that others may have is the kernel's. */
START_TEST(test_shared_position)
{
	int fd, copy;

	set_up();
	ck_assert(kvfs_fds_is_kcore(kcore));	/* not opened here */
	ck_assert_int_eq(kvfs_fds_lseek(kcore, 30, SEEK_SET), 30);
	read_at(kcore, 30);
	ck_assert_int_eq(kernel_pos(kcore), 30 + PART);

	fd = open_here();
	read_at(fd, 0);
	kvfs_fds_share(fd);
	copy = dup(fd);
	ck_assert_int_ge(copy, 0);
	ck_assert(kvfs_fds_is_kcore(copy));
	read_at(copy, PART);
	read_at(fd, 2 * PART);
	ck_assert_int_eq(kernel_pos(fd), 3 * PART);
}
END_TEST

START_TEST(test_all_and_ranges)
{
	int fds[3];

	set_up();
	for (int i = 0; i < 3; i++) {
		fds[i] = open_here();
		read_at(fds[i], 0);
	}
	kvfs_fds_forget_range((unsigned int)fds[1], (unsigned int)fds[1]);
	ck_assert_int_eq(kernel_pos(fds[0]), 0);
	ck_assert_int_eq(kernel_pos(fds[1]), PART);
	ck_assert_int_eq(kernel_pos(fds[2]), 0);
	kvfs_fds_share_all();
	ck_assert_int_eq(kernel_pos(fds[0]), PART);
	ck_assert_int_eq(kernel_pos(fds[2]), PART);
	read_at(fds[2], PART);
	kvfs_fds_forget_range(0, ~0U);
	ck_assert_int_eq(kernel_pos(fds[2]), 2 * PART);
}
END_TEST

/* Both processes of a fork(2) may come to read a descriptor that neither read before. */
START_TEST(test_not_read_before_a_fork)
{
	int fd, copy;

	set_up();
	fd = open(unit_path(kcore), O_RDONLY | O_CLOEXEC);
	kvfs_fds_opened(fd);
	kvfs_fds_share_all();
	copy = dup(fd);
	ck_assert(kvfs_fds_is_kcore(fd));
	ck_assert(kvfs_fds_is_kcore(copy));
	read_at(copy, 0);
	read_at(fd, PART);
}
END_TEST

static atomic_int got[LEN];

static void *read_all(void *arg)
{
	int fd = *(int *)arg;
	unsigned char b[2];

	/* Any two bytes that follow each other occur in one place only. */
	while (kvfs_fds_read(fd, b, 2) == 2)
		for (size_t i = 0; i + 1 < LEN; i += 2)
			if (bytes[i] == b[0] && bytes[i + 1] == b[1])
				got[i]++;
	return NULL;
}

START_TEST(test_threads_share_the_bytes)
{
	pthread_t threads[4];
	int fd;

	set_up();
	for (size_t i = 0; i < LEN; i += 2) {
		bytes[i] = (unsigned char)(i / 2);
		bytes[i + 1] = (unsigned char)(i / 2 >> 8);
	}
	ck_assert_int_eq(fchmod(kcore, 0600), 0);
	ck_assert_int_eq(pwrite(kcore, bytes, LEN, 0), LEN);
	ck_assert_int_eq(fchmod(kcore, 0400), 0);
	fd = open_here();
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_all, &fd), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < LEN; i += 2)
		ck_assert_int_eq(got[i], 1);
}
END_TEST

UNIT_MAIN("kview-exec/fds", test_judged_by_the_file, test_not_ready, test_own_position,
	  test_shared_position, test_all_and_ranges, test_not_read_before_a_fork,
	  test_threads_share_the_bytes)
