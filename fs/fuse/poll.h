/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports when descriptors become ready for reading, for callers of poll(2) that sleep. One task
 * of a pool watches them all; it starts when the first descriptor is armed.
 */
#ifndef KVFS_FUSE_POLL_H
#define KVFS_FUSE_POLL_H

#include "base/pool.h"

struct kvfs_poll;		/* opaque; any number of threads may use it */

/*
 * Borrows pool. wake(what) is called on the set's own thread, and consumes what was armed. Returns
 * 0 or -errno.
 */
int kvfs_poll_create(struct kvfs_pool *pool, void (*wake)(void *what), struct kvfs_poll **out);

/* Wakes all that is still armed. NULL is allowed. */
void kvfs_poll_destroy(struct kvfs_poll *set);

/*
 * Calls wake(what) once, as soon as fd is ready (at once if it is), or never if it is
 * disarmed before. One thing can be armed for a descriptor: *before is what was armed until
 * now, NULL if nothing was, and belongs to the caller. fd is borrowed until it is disarmed.
 * Returns 0, or -errno; then nothing is armed, and what still belongs to the caller.
 */
int kvfs_poll_arm(struct kvfs_poll *set, int fd, void *what, void **before);

/*
 * Forgets fd, which may be closed afterwards. Returns what was armed, which will not be woken,
 * or NULL.
 */
void *kvfs_poll_disarm(struct kvfs_poll *set, int fd);

#endif /* KVFS_FUSE_POLL_H */
