// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/blocked.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static void ignore(int sig)
{
}

static struct kvfs_defer *set_up(void)
{
	struct sigaction action = { .sa_handler = ignore };
	struct kvfs_defer *defer;
	sigset_t set;

	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	ck_assert_int_eq(kvfs_defer_create(&defer), 0);
	return defer;
}

/* Reads a byte of a pipe, for as long as it is wanted. */
struct reading {
	struct kvfs_deferred call;
	int fd;
	ssize_t ret;
	int errnum;
	sem_t done;
};

static void read_byte(struct kvfs_deferred *call)
{
	struct reading *reading = (struct reading *)call;
	char c;

	do {
		reading->ret = read(reading->fd, &c, 1);
		reading->errnum = errno;
	} while (reading->ret < 0 && reading->errnum == EINTR && !kvfs_deferred_interrupted(call));
	kvfs_deferred_end(call);
	sem_post(&reading->done);
}

static void start(struct kvfs_defer *defer, struct reading *reading, int fd)
{
	*reading = (struct reading) { .call.run = read_byte, .fd = fd };
	sem_init(&reading->done, 0, 0);
	ck_assert_int_eq(kvfs_defer_start(defer, &reading->call), 0);
}

START_TEST(a_call_ends_by_itself)
{
	struct kvfs_defer *defer = set_up();
	struct reading one, two;
	int p[2], q[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(pipe(q), 0);
	start(defer, &one, p[0]);
	start(defer, &two, q[0]);
	/* The second one does not wait for the first. */
	ck_assert_int_eq(write(q[1], "x", 1), 1);
	sem_wait(&two.done);
	ck_assert_int_eq(two.ret, 1);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	sem_wait(&one.done);
	ck_assert_int_eq(one.ret, 1);
	kvfs_defer_destroy(defer);
}
END_TEST

START_TEST(a_call_is_interrupted)
{
	struct kvfs_defer *defer = set_up();
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	/* Often, as the signal may come at any point of the call. */
	for (int i = 0; i < 300; i++) {
		struct reading reading;

		start(defer, &reading, p[0]);
		if (i % 3 == 1)
			usleep(i);	/* at no particular point */
		kvfs_deferred_interrupt(&reading.call);
		sem_wait(&reading.done);
		ck_assert_int_eq(reading.ret, -1);
		ck_assert_int_eq(reading.errnum, EINTR);
	}
	kvfs_defer_destroy(defer);
}
END_TEST

START_TEST(the_end_interrupts_all)
{
	struct kvfs_defer *defer = set_up();
	struct reading reading[20];
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	for (int i = 0; i < 20; i++)
		start(defer, &reading[i], p[0]);
	kvfs_defer_destroy(defer);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(sem_trywait(&reading[i].done), 0);
		ck_assert_int_eq(reading[i].errnum, EINTR);
	}
}
END_TEST

START_TEST(none_begins_after_a_stop)
{
	struct kvfs_defer *defer = set_up();
	struct reading reading, late = { .call.run = read_byte };
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	start(defer, &reading, p[0]);
	kvfs_defer_stop(defer);
	ck_assert_int_eq(sem_trywait(&reading.done), 0);
	ck_assert_int_eq(reading.errnum, EINTR);
	ck_assert_int_eq(kvfs_defer_start(defer, &late.call), -EAGAIN);
	kvfs_defer_stop(defer);
	kvfs_defer_destroy(defer);
}
END_TEST

START_TEST(there_is_a_limit)
{
	static struct reading reading[1000];
	struct kvfs_defer *defer = set_up();
	int p[2], n, ret = 0;

	ck_assert_int_eq(pipe(p), 0);
	for (n = 0; n < 1000 && ret == 0; n++) {
		reading[n] = (struct reading) { .call.run = read_byte, .fd = p[0] };
		sem_init(&reading[n].done, 0, 0);
		ret = kvfs_defer_start(defer, &reading[n].call);
	}
	ck_assert_int_eq(ret, -EAGAIN);
	ck_assert_int_gt(n, 64);
	kvfs_defer_destroy(defer);
	kvfs_defer_destroy(NULL);
}
END_TEST

UNIT_MAIN("defer",
	a_call_ends_by_itself,
	a_call_is_interrupted,
	the_end_interrupts_all,
	none_begins_after_a_stop,
	there_is_a_limit)
