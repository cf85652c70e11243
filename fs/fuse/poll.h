/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells when descriptors become ready for reading, for callers of poll(2) who sleep. One
 * thread watches them all; it starts with the first one.
 */
#ifndef KVFS_FUSE_POLL_H
#define KVFS_FUSE_POLL_H

struct kvfs_poll;		/* opaque; any number of threads may use it */

/* wake(what) consumes what was armed; it is called from the set's own thread. */
int kvfs_poll_create(void (*wake)(void *what), struct kvfs_poll **out);

/* Wakes what is still armed. NULL is allowed. */
void kvfs_poll_destroy(struct kvfs_poll *set);

/*
 * Calls wake(what) once, as soon as fd is ready (at once if it is), or never if it is
 * disarmed before. One thing can be armed for a descriptor: what was armed before is handed
 * back in *before, NULL if there was nothing. fd is borrowed until it is disarmed.
 * Returns 0, or -errno; then nothing is armed and what remains the caller's.
 */
int kvfs_poll_arm(struct kvfs_poll *set, int fd, void *what, void **before);

/*
 * Forgets fd, which may be closed afterwards. Returns what was armed and will not be woken
 * any more, or NULL.
 */
void *kvfs_poll_disarm(struct kvfs_poll *set, int fd);

#endif /* KVFS_FUSE_POLL_H */
