// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/poll.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "failalloc.h"
#include "unit.h"

static void wake(void *what)
{
	sem_post(what);
}

static bool no_threads;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	return no_threads ? ENOMEM : __real_pthread_create(thread, attr, fn, arg);
}

static struct kvfs_pool *pool;

static struct kvfs_poll *make(void)
{
	struct kvfs_poll *set;

	ck_assert_int_eq(kvfs_pool_create(1, &pool), 0);
	ck_assert_int_eq(kvfs_poll_create(pool, wake, &set), 0);
	return set;
}

static void destroy(struct kvfs_poll *set)
{
	kvfs_poll_destroy(set);
	kvfs_pool_destroy(pool);
}

START_TEST(wakes_once)
{
	struct kvfs_poll *set;
	void *before;
	sem_t sem;
	int p[2];

	sem_init(&sem, 0, 0);
	ck_assert_int_eq(pipe(p), 0);
	set = make();
	ck_assert_int_eq(kvfs_poll_arm(set, p[0], &sem, &before), 0);
	ck_assert_ptr_null(before);
	ck_assert_int_eq(sem_trywait(&sem), -1);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	sem_wait(&sem);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	/* It is ready already when it is armed again. */
	ck_assert_int_eq(kvfs_poll_arm(set, p[0], &sem, &before), 0);
	ck_assert_ptr_null(before);
	sem_wait(&sem);
	ck_assert_ptr_null(kvfs_poll_disarm(set, p[0]));
	destroy(set);
	ck_assert_int_eq(sem_trywait(&sem), -1);
}
END_TEST

START_TEST(what_is_replaced_comes_back)
{
	struct kvfs_poll *set;
	void *before;
	sem_t one, two;
	int p[2];

	sem_init(&one, 0, 0);
	sem_init(&two, 0, 0);
	ck_assert_int_eq(pipe(p), 0);
	set = make();
	ck_assert_int_eq(kvfs_poll_arm(set, p[0], &one, &before), 0);
	ck_assert_int_eq(kvfs_poll_arm(set, p[0], &two, &before), 0);
	ck_assert_ptr_eq(before, &one);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	sem_wait(&two);
	ck_assert_int_eq(sem_trywait(&one), -1);
	ck_assert_ptr_null(kvfs_poll_disarm(set, p[0]));
	destroy(set);
}
END_TEST

START_TEST(disarmed_is_not_woken)
{
	struct kvfs_poll *set;
	void *before;
	sem_t sem, other;
	int p[2], q[2];

	sem_init(&sem, 0, 0);
	sem_init(&other, 0, 0);
	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(pipe(q), 0);
	set = make();
	for (int i = 0; i < 200; i++) {
		ck_assert_int_eq(kvfs_poll_arm(set, p[0], &sem, &before), 0);
		ck_assert_ptr_eq(kvfs_poll_disarm(set, p[0]), &sem);
		ck_assert_ptr_null(kvfs_poll_disarm(set, p[0]));
	}
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	/* Another one that is armed later is woken, and then the first one would have been. */
	ck_assert_int_eq(kvfs_poll_arm(set, q[0], &other, &before), 0);
	ck_assert_int_eq(write(q[1], "x", 1), 1);
	sem_wait(&other);
	ck_assert_int_eq(sem_trywait(&sem), -1);
	ck_assert_ptr_null(kvfs_poll_disarm(set, q[0]));
	destroy(set);
}
END_TEST

START_TEST(what_cannot_be_watched)
{
	struct kvfs_poll *set;
	void *before = &set;
	sem_t sem;

	sem_init(&sem, 0, 0);
	set = make();
	ck_assert_int_eq(kvfs_poll_arm(set, -1, &sem, &before), -EBADF);
	ck_assert_ptr_null(before);
	ck_assert_ptr_null(kvfs_poll_disarm(set, -1));
	destroy(set);
	kvfs_poll_destroy(NULL);
}
END_TEST

START_TEST(without_a_thread)
{
	struct kvfs_poll *set = make();
	void *before;
	sem_t sem;
	int p[2];

	sem_init(&sem, 0, 0);
	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	no_threads = true;
	ck_assert_int_eq(kvfs_poll_arm(set, p[0], &sem, &before), -ENOMEM);
	ck_assert_ptr_null(kvfs_poll_disarm(set, p[0]));
	no_threads = false;
	ck_assert_int_eq(kvfs_poll_arm(set, p[0], &sem, &before), 0);
	sem_wait(&sem);
	destroy(set);
}
END_TEST

START_TEST(out_of_memory)
{
	struct kvfs_poll *set = NULL;
	int ret;

	failalloc_try_all(ret, ret = kvfs_poll_create(NULL, wake, &set));
	kvfs_poll_destroy(set);
}
END_TEST

UNIT_MAIN("poll",
	wakes_once,
	what_is_replaced_comes_back,
	disarmed_is_not_woken,
	what_cannot_be_watched,
	without_a_thread,
	out_of_memory)
