// SPDX-License-Identifier: GPL-2.0-only
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "failalloc.h"
#include "unit.h"

#define MANY 100

/* Stand-ins: threads that cannot be made, and idle threads whose patience ends at once. */
static int refuse_threads;
static bool hurry;
static int threads_made;

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
	if (refuse_threads)
		return refuse_threads;
	threads_made++;
	real_fn = fn;
	return __real_pthread_create(thread, attr, gated ? wait_at_gate : fn, arg);
}

/* Waits with an end. */
static int nr_timed_waits;

int __real_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *lock, clockid_t clock,
				  const struct timespec *until);
int __wrap_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *lock, clockid_t clock,
				  const struct timespec *until);
int __wrap_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *lock, clockid_t clock,
				  const struct timespec *until)
{
	const struct timespec past = { 0 };

	nr_timed_waits++;
	return __real_pthread_cond_clockwait(cond, lock, clock, hurry ? &past : until);
}

struct job {
	struct kvfs_task task;
	sem_t begun, go, *ended;
	pthread_t thread;
	sigset_t mask;
};

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) != 0)
		;
}

static void run(struct kvfs_task *task)
{
	struct job *job = (struct job *)task;

	job->thread = pthread_self();
	pthread_sigmask(SIG_SETMASK, NULL, &job->mask);
	sem_post(&job->begun);
	wait_for(&job->go);
	sem_post(job->ended);
}

static sem_t ended;

static void init(struct job *job)
{
	*job = (struct job){ .task.run = run, .ended = &ended };
	sem_init(&job->begun, 0, 0);
	sem_init(&job->go, 0, 0);
}

static struct kvfs_pool *make(unsigned int max_threads)
{
	struct kvfs_pool *pool;

	sem_init(&ended, 0, 0);
	ck_assert_int_eq(kvfs_pool_create(max_threads, &pool), 0);
	return pool;
}

static void start(struct kvfs_pool *pool, struct job *job)
{
	init(job);
	ck_assert_int_eq(kvfs_pool_start(pool, &job->task), 0);
}

START_TEST(tasks_never_queue_after_one_that_hangs)
{
	static struct job jobs[MANY];
	struct kvfs_pool *pool = make(MANY);

	for (int i = 0; i < MANY; i++)
		start(pool, &jobs[i]);
	for (int i = 0; i < MANY; i++)
		wait_for(&jobs[i].begun);
	ck_assert_int_eq(threads_made, MANY);
	for (int i = 0; i < MANY; i++)
		sem_post(&jobs[i].go);
	kvfs_pool_destroy(pool);
	/* Destroying has waited for all. */
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(sem_trywait(&ended), 0);
}
END_TEST

START_TEST(an_idle_thread_is_used_again)
{
	struct kvfs_pool *pool = make(1);
	struct job job;
	int ret;

	for (int i = 0; i < MANY; i++) {
		init(&job);
		/* The thread may not have come back yet: there is one only. */
		while ((ret = kvfs_pool_start(pool, &job.task)) == -EAGAIN)
			sched_yield();
		ck_assert_int_eq(ret, 0);
		sem_post(&job.go);
		wait_for(&ended);
	}
	ck_assert_int_eq(threads_made, 1);
	kvfs_pool_destroy(pool);
}
END_TEST

START_TEST(there_is_a_limit)
{
	struct kvfs_pool *pool = make(3);
	struct job jobs[4];

	for (int i = 0; i < 3; i++)
		start(pool, &jobs[i]);
	init(&jobs[3]);
	ck_assert_int_eq(kvfs_pool_start(pool, &jobs[3].task), -EAGAIN);
	for (int i = 0; i < 3; i++)
		sem_post(&jobs[i].go);
	kvfs_pool_destroy(pool);
	ck_assert_int_eq(sem_trywait(&jobs[3].begun), -1);
	kvfs_pool_destroy(NULL);
}
END_TEST

START_TEST(a_thread_that_cannot_be_made)
{
	struct kvfs_pool *pool = make(3);
	struct job job;

	init(&job);
	refuse_threads = EAGAIN;
	ck_assert_int_eq(kvfs_pool_start(pool, &job.task), -EAGAIN);
	refuse_threads = ENOMEM;
	ck_assert_int_eq(kvfs_pool_start(pool, &job.task), -ENOMEM);
	/* Nothing is left of it. */
	refuse_threads = 0;
	start(pool, &job);
	sem_post(&job.go);
	kvfs_pool_destroy(pool);
	ck_assert_int_eq(threads_made, 1);
}
END_TEST

START_TEST(a_task_can_be_taken_back)
{
	struct kvfs_pool *pool = make(MANY);
	struct job jobs[3];

	gated = true;
	pthread_mutex_lock(&gate);
	for (int i = 0; i < 3; i++) {
		start(pool, &jobs[i]);
		sem_post(&jobs[i].go);
	}
	/* The one in the middle, and the last. */
	ck_assert(kvfs_pool_cancel(pool, &jobs[1].task));
	ck_assert(kvfs_pool_cancel(pool, &jobs[2].task));
	ck_assert(!kvfs_pool_cancel(pool, &jobs[2].task));
	pthread_mutex_unlock(&gate);
	wait_for(&jobs[0].begun);
	ck_assert(!kvfs_pool_cancel(pool, &jobs[0].task));
	gated = false;
	start(pool, &jobs[2]);
	wait_for(&jobs[2].begun);
	sem_post(&jobs[2].go);
	kvfs_pool_destroy(pool);
	ck_assert_int_eq(sem_trywait(&jobs[1].begun), -1);
}
END_TEST

/* Waits until n threads of this process, the first included, are left. */
static void wait_for_threads(int n)
{
	char line[128];
	int now;

	do {
		FILE *f = fopen("/proc/self/status", "r");

		now = 0;
		while (fgets(line, sizeof(line), f))
			sscanf(line, "Threads: %d", &now);
		fclose(f);
		sched_yield();
	} while (now != n);
}

START_TEST(idle_threads_end_but_for_two)
{
	struct kvfs_pool *pool = make(MANY);
	static struct job jobs[MANY];

	wait_for_threads(1);
	hurry = true;
	for (int i = 0; i < MANY; i++)
		start(pool, &jobs[i]);
	for (int i = 0; i < MANY; i++)
		wait_for(&jobs[i].begun);
	for (int i = 0; i < MANY; i++)
		sem_post(&jobs[i].go);
	wait_for_threads(3);
	/* The two that stay do not wake up by themselves. */
	nr_timed_waits = 0;
	start(pool, &jobs[0]);
	start(pool, &jobs[1]);
	sem_post(&jobs[0].go);
	sem_post(&jobs[1].go);
	wait_for_threads(3);
	ck_assert_int_eq(threads_made, MANY);
	ck_assert_int_eq(nr_timed_waits, 0);
	kvfs_pool_destroy(pool);
	wait_for_threads(1);
}
END_TEST

START_TEST(signals_are_blocked)
{
	struct kvfs_pool *pool = make(1);
	sigset_t before, after;
	struct job job;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	start(pool, &job);
	sem_post(&job.go);
	kvfs_pool_destroy(pool);
	ck_assert_int_eq(sigismember(&job.mask, SIGTERM), 1);
	ck_assert_int_eq(sigismember(&job.mask, SIGUSR1), 1);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	ck_assert_int_eq(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}
END_TEST

START_TEST(out_of_memory)
{
	struct kvfs_pool *pool = NULL;
	int ret;

	failalloc_try_all(ret, ret = kvfs_pool_create(1, &pool));
	kvfs_pool_destroy(pool);
}
END_TEST

UNIT_MAIN("pool", tasks_never_queue_after_one_that_hangs, an_idle_thread_is_used_again, there_is_a_limit,
	  a_thread_that_cannot_be_made, a_task_can_be_taken_back, idle_threads_end_but_for_two,
	  signals_are_blocked, out_of_memory)
