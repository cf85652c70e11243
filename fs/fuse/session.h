/* SPDX-License-Identifier: GPL-2.0-only */
/* The life of a mount: from mount(2) and the INIT handshake to the last thread's end. */
#ifndef KVFS_FUSE_SESSION_H
#define KVFS_FUSE_SESSION_H

#include <stdbool.h>

#include "base/err.h"
#include "fuse/ops.h"

struct kvfs_session;		/* opaque; for one thread, the main one */

/* Threads that answer requests at a time: as many as CPUs, within bounds. */
unsigned int kvfs_session_threads(bool single);

struct kvfs_session_config {
	const char *mountpoint;
	bool allow_other;
	bool debug;			/* libfuse logs each request */
	unsigned int threads;
	struct kvfs_ops *ops;		/* borrowed for the life of the session */
};

/*
 * Mounts, and answers the kernel's INIT. Requests of users wait until kvfs_session_start().
 * Blocks SIGINT, SIGTERM, SIGHUP and SIGUSR1 in this thread and all that it makes; one that
 * comes before kvfs_session_wait() ends that at once. Returns 0, or -errno and what is wrong.
 */
int kvfs_session_create(const struct kvfs_session_config *config, struct kvfs_session **out,
			struct kvfs_err *err);

/* The descriptor of /dev/fuse, borrowed. */
int kvfs_session_fd(const struct kvfs_session *session);

/* Starts the threads. 0, or -errno if there is not even one. */
int kvfs_session_start(struct kvfs_session *session, struct kvfs_err *err);

/*
 * Waits for the end: a signal, or an unmount by somebody else. After it nobody answers any
 * more. Returns the signal, or 0.
 */
int kvfs_session_wait(struct kvfs_session *session);

/* Unmounts if that was not done, busy or not, and frees. NULL is allowed. */
void kvfs_session_destroy(struct kvfs_session *session);

#endif /* KVFS_FUSE_SESSION_H */
