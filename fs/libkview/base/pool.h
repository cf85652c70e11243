/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One elastic set of threads for all work that runs beside its caller: requests, calls that
 * wait, read-ahead, parallel parts. A task starts at once, on an idle thread or on a new one.
 * It never queues after another task, because any task may hang.
 *
 * Two idle threads stay. Others end when they have been idle for a few seconds. An idle pool
 * causes no wake-ups.
 *
 * Threads of the pool block all signals (group.h unblocks one) and have stacks of 512 KiB.
 */
#ifndef KVFS_BASE_POOL_H
#define KVFS_BASE_POOL_H

#include <stdbool.h>

#include "base/list.h"

struct kvfs_pool;		/* opaque; any number of threads may use it */

/* Embedded in the caller's structure, which must live until run() begins. */
struct kvfs_task {
	/* Runs once, on a thread of the pool. May free the structure. */
	void (*run)(struct kvfs_task *task);
	/* Private. */
	struct kvfs_list link;
};

/* Makes a pool of at most max_threads threads; none starts yet. Returns 0 or -ENOMEM. */
int kvfs_pool_create(unsigned int max_threads, struct kvfs_pool **out);

/* Waits until every task has returned and every thread has ended. NULL is allowed. */
void kvfs_pool_destroy(struct kvfs_pool *pool);

/*
 * Starts a task; task->run is set. Returns 0, -EAGAIN at the limit, or the -errno of
 * pthread_create(3). On failure run() is not called.
 */
int kvfs_pool_start(struct kvfs_pool *pool, struct kvfs_task *task);

/*
 * Takes a started task back if no thread has begun it: returns true, and run() is not called.
 * Returns false if run() has begun or ended; the structure must still exist.
 */
bool kvfs_pool_cancel(struct kvfs_pool *pool, struct kvfs_task *task);

#endif /* KVFS_BASE_POOL_H */
