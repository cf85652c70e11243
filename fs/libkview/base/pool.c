// SPDX-License-Identifier: GPL-2.0-only
/*
 * Started tasks are in a list until a thread takes them. The list never has more tasks than
 * there are threads about to take one (nr_ready), so that no task waits for another to end.
 */
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* Idle threads that stay. */
#define KEEP 2
/* Further idle threads end after this time. */
#define LINGER_S 4
/* The deepest users: a path on the stack (PATH_MAX), libtracefs, sanitizers in tests. */
#define STACK_LEN (512 * 1024)

struct kvfs_pool {
	unsigned int max_threads;
	pthread_mutex_t lock;		/* all below, and the list in the tasks */
	pthread_cond_t work;		/* there is a task, or stopping */
	pthread_cond_t ended;		/* nr_threads is 0 */
	struct kvfs_list tasks;		/* that no thread has taken, the oldest first */
	unsigned int nr_tasks;		/* in the list */
	unsigned int nr_ready;		/* threads that are idle or only starting */
	unsigned int nr_threads;
	bool stopping;
};

int kvfs_pool_create(unsigned int max_threads, struct kvfs_pool **out)
{
	struct kvfs_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->max_threads = max_threads;
	kvfs_list_init(&pool->tasks);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->ended, NULL);
	*out = pool;
	return 0;
}

/* All below: the lock is held, unless it says otherwise. */

/* Sleeps until there may be a task. Returns false if the thread has been idle for long enough. */
static bool wait_for_work(struct kvfs_pool *pool)
{
	struct timespec until;

	if (pool->nr_ready <= KEEP) {
		pthread_cond_wait(&pool->work, &pool->lock);
		return true;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LINGER_S;
	return pthread_cond_clockwait(&pool->work, &pool->lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT ||
	       pool->nr_ready <= KEEP;
}

/* The next task for this thread, or NULL if the thread shall end. */
static struct kvfs_task *take_task(struct kvfs_pool *pool)
{
	struct kvfs_list *link;
	bool stay = true;

	while (kvfs_list_is_empty(&pool->tasks) && stay && !pool->stopping)
		stay = wait_for_work(pool);
	pool->nr_ready--;
	link = kvfs_list_pop(&pool->tasks);
	if (!link)
		return NULL;
	pool->nr_tasks--;
	return kvfs_list_entry(link, struct kvfs_task, link);
}

/* A thread, without the lock. */
static void *work(void *arg)
{
	struct kvfs_pool *pool = arg;
	struct kvfs_task *task;

	pthread_mutex_lock(&pool->lock);
	while ((task = take_task(pool))) {
		pthread_mutex_unlock(&pool->lock);
		task->run(task);
		pthread_mutex_lock(&pool->lock);
		pool->nr_ready++;
	}
	if (--pool->nr_threads == 0)
		pthread_cond_broadcast(&pool->ended);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static int start_thread(struct kvfs_pool *pool)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	if (pool->nr_threads == pool->max_threads)
		return -EAGAIN;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_LEN);
	/* The thread inherits the mask. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&thread, &attr, work, pool);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (ret)
		return -ret;
	pool->nr_threads++;
	pool->nr_ready++;
	return 0;
}

int kvfs_pool_start(struct kvfs_pool *pool, struct kvfs_task *task)
{
	int ret = 0;

	pthread_mutex_lock(&pool->lock);
	if (pool->nr_tasks >= pool->nr_ready)
		ret = start_thread(pool);
	if (ret == 0) {
		kvfs_list_add_tail(&pool->tasks, &task->link);
		pool->nr_tasks++;
		pthread_cond_signal(&pool->work);
	}
	pthread_mutex_unlock(&pool->lock);
	return ret;
}

bool kvfs_pool_cancel(struct kvfs_pool *pool, struct kvfs_task *task)
{
	bool found = false;

	pthread_mutex_lock(&pool->lock);
	kvfs_list_for_each(link, &pool->tasks)
		found |= link == &task->link;
	if (found) {
		kvfs_list_remove(&task->link);
		pool->nr_tasks--;
	}
	pthread_mutex_unlock(&pool->lock);
	return found;
}

void kvfs_pool_destroy(struct kvfs_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->work);
	while (pool->nr_threads > 0)
		pthread_cond_wait(&pool->ended, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_destroy(&pool->ended);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
