/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes as /proc lists them, and serials, which tell apart two processes that had the same
 * number one after the other.
 */
#ifndef KVFS_PID_PROCESS_H
#define KVFS_PID_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bits of a serial; kvfs_process_identify() says how unique it is. */
#define KVFS_PROCESS_SERIAL_BITS 46

/* One process: two are the same process if both fields are equal. */
struct kvfs_process_id {
	pid_t pid;		/* of the thread group, in the daemon's PID namespace */
	uint64_t serial;	/* below 2^KVFS_PROCESS_SERIAL_BITS */
};

/*
 * Finds the process that has a number now. Its serial is the inode number of its pidfd where each
 * pidfd has one (Linux 6.9), which no other process gets while the machine is up. On older kernels
 * the serial is made of the number and the start time: a second process with the number that
 * started in the same clock tick (10 ms), or 46 hours later to the tick, has the same serial.
 * Returns 0, -ESRCH if no thread group has that number, or -errno.
 */
int kvfs_process_identify(pid_t pid, struct kvfs_process_id *out);

/*
 * Opens the process's directory in /proc with O_PATH. The descriptor is bound to the process: a
 * file opened through it never belongs to another process. Returns the descriptor for the caller to
 * close, -ENOENT if the process has gone, or -errno.
 */
int kvfs_process_open(const struct kvfs_process_id *id);

/*
 * Opens a file in such a directory, with O_CLOEXEC added to flags. Returns the descriptor for the
 * caller to close, -ESRCH if the process has gone, or -errno.
 */
int kvfs_process_openat(int procdir, const char *name, int flags);

/* Returns the thread group of a thread, -ESRCH if there is no such thread, or -errno. */
pid_t kvfs_process_tgid(pid_t tid);

/* Returns the number in a name as /proc spells it, or -ENOENT for any other name. Pure. */
pid_t kvfs_process_parse_pid(const char *name);

/*
 * Takes field 22 of a line of /proc/N/stat: the start time in clock ticks since boot. The process's
 * name, in parentheses, may hold any character. Returns 0, or -EINVAL if there is no such field. Pure.
 */
int kvfs_process_parse_start(const char *stat, uint64_t *ticks);

struct kvfs_process_entry {
	char name[12];		/* a number */
	uint64_t next;		/* cookie of the entry after this one */
};

#define KVFS_PROCESS_LIST 1365	/* a good max: entries in 32 KiB of getdents64(2) */

/*
 * Fills v with the next processes, at most max. cookie is 0 at first, later the `next` of the last
 * entry. Returns the number of entries, 0 after the last process, or -errno.
 */
ssize_t kvfs_process_list(uint64_t cookie, struct kvfs_process_entry *v, size_t max);

#endif /* KVFS_PID_PROCESS_H */
