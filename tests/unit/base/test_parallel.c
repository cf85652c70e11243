// SPDX-License-Identifier: GPL-2.0-only
#include "base/parallel.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "unit.h"

#define N 1000

/* Stand-ins: as many CPUs as a test wants, and threads that cannot be made. */
static int cpus = 4;
static bool no_threads;

static struct kvfs_pool *pool;

static void set_up(void)
{
	ck_assert_int_eq(kvfs_pool_create(64, &pool), 0);
}

int __wrap_sched_getaffinity(pid_t pid, size_t len, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t len, cpu_set_t *set)
{
	CPU_ZERO_S(len, set);
	for (int i = 0; i < cpus; i++)
		CPU_SET_S(i, len, set);
	return 0;
}

/* With gated, a new thread waits at the gate before it does anything. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static bool gated;
static void *(*real_fn)(void *);

static void *wait_at_gate(void *arg)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return real_fn(arg);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	real_fn = fn;
	return no_threads ? EAGAIN : __real_pthread_create(thread, attr, gated ? wait_at_gate : fn, arg);
}

struct job {
	atomic_uchar done[N];
	atomic_int nr_parts;
	pthread_barrier_t *meet;	/* the parts wait for each other, to show that they run at once */
	size_t bad[2];			/* items that fail, with 1 and 2 */
};

/* Parts of any job that run now, and the most that ever did. */
static atomic_int running, most_running;

static int work(void *arg, size_t first, size_t n)
{
	int now = atomic_fetch_add(&running, 1) + 1, most = atomic_load(&most_running), ret = 0;
	struct job *job = arg;

	while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now))
		;
	atomic_fetch_add(&job->nr_parts, 1);
	if (job->meet)
		pthread_barrier_wait(job->meet);
	for (size_t i = first; i < first + n; i++) {
		atomic_fetch_add(&job->done[i], 1);
		for (int b = 0; b < 2 && ret == 0; b++)
			if (job->bad[b] && job->bad[b] == i)
				ret = -1 - b;
	}
	atomic_fetch_sub(&running, 1);
	return ret;
}

static void assert_done(const struct job *job, size_t n)
{
	for (size_t i = 0; i < N; i++)
		ck_assert_int_eq(job->done[i], i < n);
}

START_TEST(each_item_once)
{
	set_up();
	for (size_t n = 0; n < N; n += 7) {
		for (cpus = 1; cpus < 12; cpus += 3) {
			struct job job = { 0 };

			ck_assert_int_eq(kvfs_parallel(pool, n, 10, work, &job), 0);
			assert_done(&job, n);
			ck_assert_int_le(job.nr_parts, cpus);
			ck_assert(n < 20 ? job.nr_parts == 1 : (size_t)job.nr_parts <= n / 10);
		}
	}
	kvfs_pool_destroy(pool);
}
END_TEST

START_TEST(parts_run_at_once)
{
	pthread_barrier_t meet;
	struct job job = { .meet = &meet };

	set_up();
	cpus = 3;
	pthread_barrier_init(&meet, NULL, 3);
	ck_assert_int_eq(kvfs_parallel(pool, N, 1, work, &job), 0);
	assert_done(&job, N);
	ck_assert_int_eq(job.nr_parts, 3);
	ck_assert_int_eq(most_running, 3);
	kvfs_pool_destroy(pool);
}
END_TEST

START_TEST(the_first_error)
{
	struct job job = { .bad = { 999, 1 } };

	set_up();
	ck_assert_int_eq(kvfs_parallel(pool, N, 1, work, &job), -2);
	assert_done(&job, N);
	kvfs_pool_destroy(pool);
}
END_TEST

START_TEST(without_threads)
{
	pthread_barrier_t meet;
	struct job job = { .bad = { 999 } }, again = { .meet = &meet }, alone = { 0 };

	set_up();
	no_threads = true;
	ck_assert_int_eq(kvfs_parallel(pool, N, 1, work, &job), -1);
	assert_done(&job, N);
	ck_assert_int_eq(most_running, 1);
	/* A thread that could not be made is not counted as one that works. */
	no_threads = false;
	pthread_barrier_init(&meet, NULL, 4);
	ck_assert_int_eq(kvfs_parallel(pool, N, 1, work, &again), 0);
	assert_done(&again, N);
	ck_assert_int_eq(most_running, 4);
	ck_assert_int_eq(kvfs_parallel(NULL, N, 1, work, &alone), 0);
	assert_done(&alone, N);
	ck_assert_int_eq(alone.nr_parts, 1);
	kvfs_pool_destroy(pool);
}
END_TEST

START_TEST(a_thread_that_does_not_start)
{
	struct job job = { 0 };

	set_up();
	gated = true;
	pthread_mutex_lock(&gate);
	ck_assert_int_eq(kvfs_parallel(pool, N, 1, work, &job), 0);
	pthread_mutex_unlock(&gate);
	assert_done(&job, N);
	ck_assert_int_eq(job.nr_parts, 4);
	ck_assert_int_eq(most_running, 1);
	kvfs_pool_destroy(pool);
}
END_TEST

static int nested(void *arg, size_t first, size_t n)
{
	struct job *inner = (struct job *)arg + first;

	ck_assert_uint_eq(n, 1);
	return kvfs_parallel(pool, N, 1, work, inner);
}

START_TEST(callers_share_the_cpus)
{
	static struct job inner[4];

	set_up();
	cpus = 4;
	ck_assert_int_eq(kvfs_parallel(pool, 4, 1, nested, inner), 0);
	for (int i = 0; i < 4; i++) {
		assert_done(&inner[i], N);
		ck_assert_int_eq(inner[i].nr_parts, 4);
	}
	/* Not 16, had each part a thread of its own. */
	ck_assert_int_le(most_running, 4);
	kvfs_pool_destroy(pool);
}
END_TEST

UNIT_MAIN("parallel", each_item_once, parts_run_at_once, the_first_error, without_threads,
	  a_thread_that_does_not_start, callers_share_the_cpus)
