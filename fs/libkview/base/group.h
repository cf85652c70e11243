/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that run on threads of a pool and belong together: they have a limit, can be
 * interrupted, and can be waited for.
 *
 * An interrupted call gets SIGUSR1, whose handler must do nothing and be set without
 * SA_RESTART: a system call that sleeps returns EINTR. As the signal could come just before
 * the system call, it is sent again every 10 ms until the call ends.
 */
#ifndef KVFS_BASE_GROUP_H
#define KVFS_BASE_GROUP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/list.h"
#include "base/pool.h"

/* Embedded in the caller's structure, which must live until run() begins. */
struct kvfs_call {
	/*
	 * Runs once, on a thread of the pool. Must call kvfs_group_end(), and may free the
	 * structure after that.
	 */
	void (*run)(struct kvfs_call *call);
	/* Private. */
	struct kvfs_task task;
	struct kvfs_group *group;
	struct kvfs_list link;
	pthread_t thread;
	bool has_thread;
	atomic_bool interrupted;
};

struct kvfs_group;		/* opaque; any number of threads may use it */

/* Makes a group of at most max_calls calls, 0 for no limit. Borrows pool. Returns 0 or -ENOMEM. */
int kvfs_group_create(struct kvfs_pool *pool, unsigned int max_calls, struct kvfs_group **out);

/*
 * Interrupts every call, refuses further ones, and waits until all have ended, for at most
 * timeout_ms milliseconds, -1 for no limit. Returns whether all have ended.
 */
bool kvfs_group_stop(struct kvfs_group *group, int timeout_ms);

/* Stops the group, without a limit of time, and frees it. NULL is allowed. */
void kvfs_group_destroy(struct kvfs_group *group);

/*
 * Starts a call; call->run is set. Returns 0, -EAGAIN if the group is full or stopped, or an
 * error of kvfs_pool_start(). On failure run() is not called.
 */
int kvfs_group_start(struct kvfs_group *group, struct kvfs_call *call);

/* Makes the call's system calls return EINTR from now on. The call must not have ended. */
void kvfs_group_interrupt(struct kvfs_call *call);

/* Whether the call was interrupted: run() then has to return. */
bool kvfs_group_interrupted(const struct kvfs_call *call);

/* From run(): no signal comes any more. */
void kvfs_group_end(struct kvfs_call *call);

#endif /* KVFS_BASE_GROUP_H */
