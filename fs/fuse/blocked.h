/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that wait for something to happen, each in a thread of its own, so that nobody
 * else's request waits with them. There are as many threads as there are calls that wait,
 * and none if there is none.
 *
 * A call that is not wanted any more is interrupted by SIGUSR1, whose handler must do
 * nothing and be set without SA_RESTART: a system call that sleeps returns EINTR. As the
 * signal could come just before the system call, it is sent again until the call ends.
 */
#ifndef KVFS_FUSE_BLOCKED_H
#define KVFS_FUSE_BLOCKED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* To be embedded in what the call needs; owned by the caller until run() begins. */
struct kvfs_deferred {
	/*
	 * The call. Runs once, in its own thread, and may free the structure before it
	 * returns, once kvfs_deferred_end() was called.
	 */
	void (*run)(struct kvfs_deferred *call);
	/* The rest is private. */
	struct kvfs_defer *defer;
	struct kvfs_deferred *prev, *next;
	pthread_t thread;
	atomic_bool interrupted;
};

struct kvfs_defer;		/* opaque; any number of threads may use it */

int kvfs_defer_create(struct kvfs_defer **out);

/* Interrupts every call, waits until the last one has ended, and lets none begin any more. */
void kvfs_defer_stop(struct kvfs_defer *defer);

/* Stops it, if that was not done, and frees. NULL is allowed. */
void kvfs_defer_destroy(struct kvfs_defer *defer);

/*
 * Starts a call; call->run is set. Returns 0, or -EAGAIN if there are too many already or
 * the set was stopped, or -errno if no thread can be had; run() will not run then.
 */
int kvfs_defer_start(struct kvfs_defer *defer, struct kvfs_deferred *call);

/*
 * Makes the call's system calls return EINTR from now on. To be called while it is sure
 * that the call has not ended.
 */
void kvfs_deferred_interrupt(struct kvfs_deferred *call);

/* Whether it was: run() then has to come to its end. */
bool kvfs_deferred_interrupted(const struct kvfs_deferred *call);

/* From run(): no signal comes any more. */
void kvfs_deferred_end(struct kvfs_deferred *call);

#endif /* KVFS_FUSE_BLOCKED_H */
