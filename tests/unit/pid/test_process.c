// SPDX-License-Identifier: GPL-2.0-only
#include "pid/process.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "child.h"
#include "unit.h"

START_TEST(test_parse_pid)
{
	static const struct {
		const char *name;
		pid_t want;
	} cases[] = {
		{ "1", 1 }, { "4194303", 4194303 }, { "42", 42 },
		{ "", -ENOENT }, { "0", -ENOENT }, { "01", -ENOENT }, { "-1", -ENOENT },
		{ "4194304", -ENOENT }, { "99999999999999999999", -ENOENT }, { "1x", -ENOENT },
		{ " 1", -ENOENT }, { "1 ", -ENOENT }, { "self", -ENOENT }, { "+1", -ENOENT },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(kvfs_process_parse_pid(cases[i].name) == cases[i].want, "\"%s\"", cases[i].name);
}
END_TEST

#define FIELDS_4_TO_21 " 1 1 1 0 -1 4194560 5 6 7 8 9 10 11 12 20 0 13 0"

START_TEST(test_parse_start)
{
	static const struct {
		const char *text;
		int ret;
		uint64_t want;
	} cases[] = {
		{ "1 (init) S" FIELDS_4_TO_21 " 15 53092352 5226\n", 0, 15 },
		{ "1 (a) b) (c) S" FIELDS_4_TO_21 " 123456789012 0\n", 0, 123456789012 },
		{ "1 (with space and\nnewline) R" FIELDS_4_TO_21 " 7\n", 0, 7 },
		{ "1 (init) S" FIELDS_4_TO_21 "\n", -EINVAL, 0 },
		{ "1 (init) S" FIELDS_4_TO_21 " \n", -EINVAL, 0 },
		{ "1 (init) S" FIELDS_4_TO_21 " -3 \n", -EINVAL, 0 },
		{ "1 (init) S" FIELDS_4_TO_21 " 99999999999999999999999 \n", -EINVAL, 0 },
		{ "1 (init) S" FIELDS_4_TO_21 " 12x \n", -EINVAL, 0 },
		{ "1 init S" FIELDS_4_TO_21 " 15 \n", -EINVAL, 0 },
		{ "1 (init)", -EINVAL, 0 },
		{ ")", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t ticks = 0;

		ck_assert_msg(kvfs_process_parse_start(cases[i].text, &ticks) == cases[i].ret, "%zu", i);
		ck_assert_msg(ticks == cases[i].want || cases[i].ret, "%zu", i);
	}
}
END_TEST

START_TEST(test_identify)
{
	struct kvfs_process_id a, b, mine;
	pid_t child = child_start(), other = child_start();

	ck_assert_int_eq(kvfs_process_identify(child, &a), 0);
	ck_assert_int_eq(a.pid, child);
	ck_assert_uint_lt(a.serial, UINT64_C(1) << KVFS_PROCESS_SERIAL_BITS);
	ck_assert_uint_ne(a.serial, 0);
	ck_assert_int_eq(kvfs_process_identify(child, &b), 0);
	ck_assert_uint_eq(a.serial, b.serial);
	ck_assert_int_eq(kvfs_process_identify(other, &b), 0);
	ck_assert_uint_ne(a.serial, b.serial);
	ck_assert_int_eq(kvfs_process_identify(getpid(), &mine), 0);
	ck_assert_uint_ne(a.serial, mine.serial);
	child_end(child);
	child_end(other);
	ck_assert_int_eq(kvfs_process_identify(child, &a), -ESRCH);
	ck_assert_int_eq(kvfs_process_identify(0, &a), -ESRCH);
	ck_assert_int_eq(kvfs_process_identify(-1, &a), -ESRCH);
}
END_TEST

static void *tell_tid(void *arg)
{
	struct kvfs_process_id id;
	pid_t tid = (pid_t)syscall(SYS_gettid);

	ck_assert_int_ne(tid, getpid());
	ck_assert_int_eq(kvfs_process_tgid(tid), getpid());
	/* A thread is no process, although /proc has a directory of its number. */
	ck_assert_int_eq(kvfs_process_identify(tid, &id), -ESRCH);
	return NULL;
}

START_TEST(test_threads)
{
	pthread_t thread;
	pid_t child = child_start();

	ck_assert_int_eq(kvfs_process_tgid(getpid()), getpid());
	ck_assert_int_eq(pthread_create(&thread, NULL, tell_tid, NULL), 0);
	pthread_join(thread, NULL);
	child_end(child);
	ck_assert_int_eq(kvfs_process_tgid(child), -ESRCH);
}
END_TEST

START_TEST(test_open)
{
	pid_t child = child_start();
	struct kvfs_process_id id, other;
	int dir, fd;

	ck_assert_int_eq(kvfs_process_identify(child, &id), 0);
	dir = kvfs_process_open(&id);
	ck_assert_int_ge(dir, 0);
	fd = kvfs_process_openat(dir, "statm", O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	/* A later process with the same number. */
	other = id;
	other.serial++;
	ck_assert_int_eq(kvfs_process_open(&other), -ENOENT);
	child_end(child);
	ck_assert_int_eq(kvfs_process_open(&id), -ENOENT);
	ck_assert_int_eq(kvfs_process_openat(dir, "statm", O_RDONLY), -ESRCH);
	close(dir);
}
END_TEST

/* Tells whether a listing in pieces of at most max entries has pid. */
static bool is_listed(pid_t pid, size_t max)
{
	struct kvfs_process_entry v[64];
	uint64_t cookie = 0;
	bool found = false;
	pid_t last = 0;
	ssize_t n;

	while ((n = kvfs_process_list(cookie, v, max)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			pid_t one = kvfs_process_parse_pid(v[i].name);

			ck_assert_int_gt(one, last);
			last = one;
			found |= one == pid;
		}
		cookie = v[n - 1].next;
	}
	ck_assert_int_eq(n, 0);
	return found;
}

START_TEST(test_list)
{
	pid_t child = child_start();

	ck_assert(is_listed(child, 64));
	ck_assert(is_listed(child, 1));
	ck_assert(is_listed(child, 7));
	ck_assert(is_listed(getpid(), 64));
	child_end(child);
	ck_assert(!is_listed(child, 64));
	ck_assert_int_eq(kvfs_process_list(0, NULL, 0), 0);
}
END_TEST

UNIT_MAIN("process", test_parse_pid, test_parse_start, test_identify, test_threads, test_open,
	  test_list)
