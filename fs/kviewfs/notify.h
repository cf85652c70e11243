/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells a service manager how far the daemon is, by the protocol of sd_notify(3): one datagram to
 * the socket that the environment variable NOTIFY_SOCKET names.
 */
#ifndef KVFS_KVIEWFS_NOTIFY_H
#define KVFS_KVIEWFS_NOTIFY_H

/*
 * Sends a state, lines of KEY=VALUE such as "STOPPING=1". Returns 1, 0 if there is no service
 * manager, or -errno; -EINVAL if NOTIFY_SOCKET is not the name of a socket.
 */
int kvfs_notify(const char *state);

/* Sends that the mount is ready, and that this process serves it. Returns as kvfs_notify(). */
int kvfs_notify_ready(void);

#endif /* KVFS_KVIEWFS_NOTIFY_H */
