/* SPDX-License-Identifier: GPL-2.0-only */
/* The life of a mount: from mount(2) and the INIT handshake to the last thread's end. */
#ifndef KVFS_FUSE_SESSION_H
#define KVFS_FUSE_SESSION_H

#include <stdbool.h>

#include "base/err.h"
#include "base/pool.h"
#include "fuse/ops.h"

struct kvfs_session;		/* opaque; for one thread, the main one */

/* Requests that are worth being processed at once: as many as CPUs, 2 to 8; 1 if single. */
unsigned int kvfs_session_threads(bool single);

struct kvfs_session_config {
	const char *mountpoint;
	bool allow_other;
	bool debug;			/* libfuse logs each request */
	bool single;			/* requests are processed one after another */
	struct kvfs_pool *pool;		/* borrowed for the life of the session */
	struct kvfs_ops *ops;		/* likewise */
};

/*
 * Mounts, and answers the kernel's INIT. Requests of users wait until kvfs_session_start().
 * Blocks SIGINT, SIGTERM, SIGHUP and SIGUSR1 in the calling thread and in all that it makes; a
 * signal that comes before kvfs_session_wait() ends that at once. Returns 0, or -errno with a
 * message.
 */
int kvfs_session_create(const struct kvfs_session_config *config, struct kvfs_session **out,
			struct kvfs_err *err);

/* The descriptor of /dev/fuse, borrowed. */
int kvfs_session_fd(const struct kvfs_session *session);

/* Starts the threads. Returns 0, or -errno with a message if not even one could be started. */
int kvfs_session_start(struct kvfs_session *session, struct kvfs_err *err);

/*
 * Waits for the end, which is a signal or an unmount. No request is answered after it. Returns
 * the signal, or 0 for an unmount.
 */
int kvfs_session_wait(struct kvfs_session *session);

/*
 * Whether kvfs_session_wait() gave up waiting for requests, because their sources hang. Their
 * threads still use everything: the caller must neither destroy the session nor what its
 * requests use, but call kvfs_session_abandon() and end the process with _exit(2).
 */
bool kvfs_session_is_stuck(const struct kvfs_session *session);

/* Unmounts, busy or not, fails the requests that are not answered, and frees nothing. */
void kvfs_session_abandon(struct kvfs_session *session);

/* Unmounts if that was not done, busy or not, and frees. NULL is allowed. */
void kvfs_session_destroy(struct kvfs_session *session);

#endif /* KVFS_FUSE_SESSION_H */
