// SPDX-License-Identifier: GPL-2.0-only
#include "base/group.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "failalloc.h"
#include "unit.h"

static struct kvfs_pool *pool;
static bool no_signals;		/* the first signals are lost: they came before the system call */
static int nr_signals;

int __real_pthread_kill(pthread_t thread, int sig);
int __wrap_pthread_kill(pthread_t thread, int sig);
int __wrap_pthread_kill(pthread_t thread, int sig)
{
	return ++nr_signals < 3 && no_signals ? 0 : __real_pthread_kill(thread, sig);
}

static void ignore(int sig)
{
}

static struct kvfs_group *set_up_on(unsigned int max_threads, unsigned int max_calls)
{
	struct sigaction action = { .sa_handler = ignore };
	struct kvfs_group *group;

	sigaction(SIGUSR1, &action, NULL);
	ck_assert_int_eq(kvfs_pool_create(max_threads, &pool), 0);
	ck_assert_int_eq(kvfs_group_create(pool, max_calls, &group), 0);
	return group;
}

static struct kvfs_group *set_up(unsigned int max_calls)
{
	return set_up_on(1000, max_calls);
}

static void tear_down(struct kvfs_group *group)
{
	kvfs_group_destroy(group);
	kvfs_pool_destroy(pool);
}

/* Reads a byte of a pipe until it is interrupted; with `deaf`, until there is one. */
struct reading {
	struct kvfs_call call;
	int fd;
	bool deaf;
	ssize_t ret;
	int errnum;
	sem_t done;
};

static void read_byte(struct kvfs_call *call)
{
	struct reading *reading = (struct reading *)call;
	char c;

	do {
		reading->ret = read(reading->fd, &c, 1);
		reading->errnum = errno;
	} while (reading->ret < 0 && reading->errnum == EINTR &&
		 (reading->deaf || !kvfs_group_interrupted(call)));
	kvfs_group_end(call);
	sem_post(&reading->done);
}

static void init(struct reading *reading, int fd)
{
	*reading = (struct reading) { .call.run = read_byte, .fd = fd };
	sem_init(&reading->done, 0, 0);
}

static void start(struct kvfs_group *group, struct reading *reading, int fd)
{
	init(reading, fd);
	ck_assert_int_eq(kvfs_group_start(group, &reading->call), 0);
}

static void wait_for(struct reading *reading)
{
	while (sem_wait(&reading->done) != 0)
		;
}

START_TEST(a_call_ends_by_itself)
{
	struct kvfs_group *group = set_up(2);
	struct reading one, two;
	int p[2], q[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(pipe(q), 0);
	start(group, &one, p[0]);
	start(group, &two, q[0]);
	/* The second one does not wait for the first. */
	ck_assert_int_eq(write(q[1], "x", 1), 1);
	wait_for(&two);
	ck_assert_int_eq(two.ret, 1);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	wait_for(&one);
	ck_assert_int_eq(one.ret, 1);
	tear_down(group);
}
END_TEST

START_TEST(a_call_is_interrupted)
{
	struct kvfs_group *group = set_up(0);
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	/* Often, as the signal may come at any point of the call. */
	for (int i = 0; i < 300; i++) {
		struct reading reading;

		start(group, &reading, p[0]);
		for (int j = 0; j < i % 5; j++)
			sched_yield();
		kvfs_group_interrupt(&reading.call);
		wait_for(&reading);
		ck_assert_int_eq(reading.ret, -1);
		ck_assert_int_eq(reading.errnum, EINTR);
	}
	tear_down(group);
}
END_TEST

START_TEST(a_lost_signal_is_sent_again)
{
	struct kvfs_group *group = set_up(0);
	struct reading reading;
	int p[2];

	no_signals = true;
	ck_assert_int_eq(pipe(p), 0);
	start(group, &reading, p[0]);
	kvfs_group_interrupt(&reading.call);
	wait_for(&reading);
	ck_assert_int_eq(reading.errnum, EINTR);
	tear_down(group);
	ck_assert_int_ge(nr_signals, 3);
}
END_TEST

START_TEST(the_end_interrupts_all)
{
	struct kvfs_group *group = set_up(0);
	struct reading reading[20];
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	for (int i = 0; i < 20; i++)
		start(group, &reading[i], p[0]);
	tear_down(group);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(sem_trywait(&reading[i].done), 0);
		ck_assert_int_eq(reading[i].errnum, EINTR);
	}
}
END_TEST

START_TEST(none_begins_after_a_stop)
{
	struct kvfs_group *group = set_up(0);
	struct reading reading, late = { .call.run = read_byte };
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	start(group, &reading, p[0]);
	ck_assert(kvfs_group_stop(group, -1));
	ck_assert_int_eq(sem_trywait(&reading.done), 0);
	ck_assert_int_eq(reading.errnum, EINTR);
	ck_assert_int_eq(kvfs_group_start(group, &late.call), -EAGAIN);
	ck_assert(kvfs_group_stop(group, 0));
	tear_down(group);
}
END_TEST

START_TEST(a_stop_can_have_a_limit)
{
	struct kvfs_group *group = set_up(0);
	struct reading hung, other;
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	init(&hung, p[0]);
	hung.deaf = true;
	ck_assert_int_eq(kvfs_group_start(group, &hung.call), 0);
	start(group, &other, p[0]);
	ck_assert(!kvfs_group_stop(group, 50));
	wait_for(&other);
	ck_assert_int_eq(sem_trywait(&hung.done), -1);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	ck_assert(kvfs_group_stop(group, -1));
	ck_assert_int_eq(hung.ret, 1);
	tear_down(group);
}
END_TEST

START_TEST(there_is_a_limit)
{
	static struct reading reading[65];
	struct kvfs_group *group = set_up(64);
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	for (int i = 0; i < 64; i++)
		start(group, &reading[i], p[0]);
	init(&reading[64], p[0]);
	ck_assert_int_eq(kvfs_group_start(group, &reading[64].call), -EAGAIN);
	/* One that ends makes room. */
	kvfs_group_interrupt(&reading[7].call);
	wait_for(&reading[7]);
	ck_assert_int_eq(kvfs_group_start(group, &reading[64].call), 0);
	tear_down(group);
	kvfs_group_destroy(NULL);
}
END_TEST

START_TEST(the_limit_of_the_pool)
{
	struct kvfs_group *group = set_up_on(1, 0);
	struct reading reading, late = { .call.run = read_byte };
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	start(group, &reading, p[0]);
	ck_assert_int_eq(kvfs_group_start(group, &late.call), -EAGAIN);
	/* No thread is left to send signals again; stopping does it itself. */
	no_signals = true;
	kvfs_group_interrupt(&reading.call);
	tear_down(group);
	ck_assert_int_eq(reading.errnum, EINTR);
}
END_TEST

START_TEST(out_of_memory)
{
	struct kvfs_group *group = NULL;
	int ret;

	failalloc_try_all(ret, ret = kvfs_group_create(NULL, 0, &group));
	kvfs_group_destroy(group);
}
END_TEST

UNIT_MAIN("group",
	a_call_ends_by_itself,
	a_call_is_interrupted,
	a_lost_signal_is_sent_again,
	the_end_interrupts_all,
	none_begins_after_a_stop,
	a_stop_can_have_a_limit,
	there_is_a_limit,
	the_limit_of_the_pool,
	out_of_memory)
