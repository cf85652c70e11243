/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Turns a command into a daemon. The command ends when the daemon reports that it is ready, or with
 * the daemon's exit status if that ends first, so that scripts need not poll.
 */
#ifndef KVFS_KVIEWFS_DAEMONIZE_H
#define KVFS_KVIEWFS_DAEMONIZE_H

struct kvfs_daemonize {
	int fd;		/* to the command that waits; -1 if there is none */
};

/*
 * Forks. The child returns; the parent waits for it and does not return. Both stay in the terminal's
 * foreground until the child is ready, so that Ctrl-C ends both. Must be called before the process
 * has threads. Returns 0, or -errno.
 */
int kvfs_daemonize_begin(struct kvfs_daemonize *daemonize);

/*
 * Leaves the terminal and the working directory, and ends the command with status 0. Without this
 * call, the command ends when the process does, with the same exit status.
 */
void kvfs_daemonize_ready(struct kvfs_daemonize *daemonize);

#endif /* KVFS_KVIEWFS_DAEMONIZE_H */
