// SPDX-License-Identifier: GPL-2.0-only
#include "extent/fdpool.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "failalloc.h"
#include "unit.h"

static char dir[] = "/tmp/kvfs-unit-XXXXXX";
static char path[64];

static void make_file(const char *text)
{
	FILE *f;

	if (!path[0]) {
		ck_assert_ptr_nonnull(mkdtemp(dir));
		snprintf(path, sizeof(path), "%s/file", dir);
	}
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void remove_file(void)
{
	unlink(path);
	rmdir(dir);
}

static struct kvfs_fdpool *make_pool(unsigned int keep)
{
	struct kvfs_fdpool *pool = NULL;
	struct kvfs_err err = { 0 };

	make_file("old");
	ck_assert_msg(!kvfs_fdpool_create(path, keep, &pool, &err), "%s", err.msg);
	return pool;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(create_reports)
{
	struct kvfs_fdpool *pool;
	struct kvfs_err err = { 0 };
	char fifo[80];
	int ret;

	ret = kvfs_fdpool_create("/nonexistent/kcore", 4, &pool, &err);
	unit_assert_error(ret, ENOENT, err, "/nonexistent/kcore: No such file");
	ret = kvfs_fdpool_create("/", 4, &pool, &err);
	unit_assert_error(ret, EISDIR, err, "not a regular file");
	make_file("");
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ret = kvfs_fdpool_create(fifo, 4, &pool, &err);	/* must not block */
	unit_assert_error(ret, EINVAL, err, "not a regular file");
	unlink(fifo);
	failalloc_try_all(ret, ret = kvfs_fdpool_create(path, 4, &pool, &err));
	ck_assert_int_eq(ret, 0);
	kvfs_fdpool_destroy(pool);
	kvfs_fdpool_destroy(NULL);
	remove_file();
}
END_TEST

START_TEST(flags_of_descriptors)
{
	struct kvfs_fdpool *pool = make_pool(2);
	int a = kvfs_fdpool_get(pool), b = kvfs_fdpool_get(pool);

	ck_assert_int_ne(a, b);
	ck_assert_int_eq(fcntl(a, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY);
	ck_assert_int_eq(fcntl(b, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY);
	ck_assert_int_eq(fcntl(a, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(b, F_GETFD), FD_CLOEXEC);
	/* Each descriptor is an open file of its own, with its own position. */
	ck_assert_int_eq(lseek(a, 2, SEEK_SET), 2);
	ck_assert_int_eq(lseek(b, 0, SEEK_CUR), 0);
	kvfs_fdpool_put(pool, a);
	kvfs_fdpool_put(pool, b);
	kvfs_fdpool_destroy(pool);
	remove_file();
}
END_TEST

START_TEST(the_file_stays_the_same)
{
	struct kvfs_fdpool *pool = make_pool(4);
	char buf[4] = "", other[80];
	int a, b;

	snprintf(other, sizeof(other), "%s.old", path);
	ck_assert_int_eq(rename(path, other), 0);
	make_file("new");
	a = kvfs_fdpool_get(pool);
	b = kvfs_fdpool_get(pool);
	ck_assert_int_eq(pread(b, buf, 3, 0), 3);
	ck_assert_str_eq(buf, "old");
	kvfs_fdpool_put(pool, a);
	kvfs_fdpool_put(pool, b);
	kvfs_fdpool_destroy(pool);
	unlink(other);
	remove_file();
}
END_TEST

START_TEST(no_more_are_kept_than_asked_for)
{
	for (unsigned int keep = 0; keep <= 3; keep++) {
		struct kvfs_fdpool *pool = make_pool(keep);
		unsigned int kept = 0;
		int fds[6];

		for (int i = 0; i < 6; i++) {
			fds[i] = kvfs_fdpool_get(pool);
			ck_assert_int_ge(fds[i], 0);
			for (int j = 0; j < i; j++)
				ck_assert_int_ne(fds[i], fds[j]);
		}
		/* The pinned one was lent first and comes back last. */
		for (int i = 5; i >= 0; i--)
			kvfs_fdpool_put(pool, fds[i]);
		for (int i = 0; i < 6; i++)
			kept += is_open(fds[i]);
		ck_assert_uint_eq(kept, keep ? keep : 1);
		/* Idle descriptors are lent before new ones are opened. */
		for (unsigned int i = 0; i < kept; i++)
			fds[i] = kvfs_fdpool_get(pool);
		for (unsigned int i = 0; i < kept; i++)
			kvfs_fdpool_put(pool, fds[i]);
		kvfs_fdpool_destroy(pool);
		for (int i = 0; i < 6; i++)
			ck_assert(!is_open(fds[i]));
	}
	remove_file();
}
END_TEST

START_TEST(get_reports)
{
	struct kvfs_fdpool *pool = make_pool(1);
	int fd = kvfs_fdpool_get(pool);
	struct rlimit limit;

	ck_assert_int_eq(kvfs_fdpool_check(pool), 0);
	/* All numbers up to fd are in use. */
	for (int i = 0; i < fd; i++)
		if (!is_open(i))
			ck_assert_int_ge(open("/dev/null", O_RDONLY), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)fd + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(kvfs_fdpool_get(pool), -EMFILE);
	kvfs_fdpool_put(pool, fd);
	/* The check opens the file, although a descriptor is idle. */
	ck_assert_int_eq(kvfs_fdpool_check(pool), -EMFILE);
	ck_assert_int_eq(kvfs_fdpool_get(pool), fd);
	kvfs_fdpool_put(pool, fd);
	kvfs_fdpool_destroy(pool);
	remove_file();
}
END_TEST

#define MAX_FD 256
static atomic_int lent[MAX_FD];
static atomic_int clashes;

static void *borrow_a_lot(void *arg)
{
	struct kvfs_fdpool *pool = arg;

	for (int i = 0; i < 500; i++) {
		int fd = kvfs_fdpool_get(pool);

		if (fd < 0 || fd >= MAX_FD || atomic_fetch_add(&lent[fd], 1))
			atomic_fetch_add(&clashes, 1);
		if (fd < 0)
			continue;
		if (fd < MAX_FD)
			atomic_fetch_sub(&lent[fd], 1);
		kvfs_fdpool_put(pool, fd);
	}
	return NULL;
}

START_TEST(a_descriptor_has_one_borrower)
{
	struct kvfs_fdpool *pool = make_pool(2);
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, borrow_a_lot, pool), 0);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(clashes, 0);
	kvfs_fdpool_destroy(pool);
	remove_file();
}
END_TEST

UNIT_MAIN("fdpool", create_reports, flags_of_descriptors, the_file_stays_the_same,
	  no_more_are_kept_than_asked_for, get_reports, a_descriptor_has_one_borrower)
