/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a command to a daemon. The command ends when the daemon says that it is ready, or has
 * failed, with the daemon's exit status: no sleeping and no guessing in scripts.
 */
#ifndef KVFS_KVIEWFS_DAEMONIZE_H
#define KVFS_KVIEWFS_DAEMONIZE_H

struct kvfs_daemonize {
	int fd;		/* to the command that waits; -1 if there is none */
};

/*
 * Forks. The child returns; the parent waits for it and does not return. Until the child is
 * ready, both are in the terminal's foreground, so that Ctrl-C ends both. To be called
 * before any thread exists. Returns 0, or -errno.
 */
int kvfs_daemonize_begin(struct kvfs_daemonize *detach);

/*
 * Lets go of the terminal and of the working directory, and ends the command with status 0.
 * A process that ends without calling this ends the command with its own exit status.
 */
void kvfs_daemonize_ready(struct kvfs_daemonize *detach);

#endif /* KVFS_KVIEWFS_DAEMONIZE_H */
