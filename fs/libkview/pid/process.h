/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes, as /proc lists them, and what tells two of them apart that had the same number
 * one after the other.
 */
#ifndef KVFS_PID_PROCESS_H
#define KVFS_PID_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bits of a serial; kvfs_process_identify() says what that means for its uniqueness. */
#define KVFS_PROCESS_SERIAL_BITS 46

/* One process: two are the same process if both fields are equal. */
struct kvfs_process_id {
	pid_t pid;		/* of the thread group, in the daemon's PID namespace */
	uint64_t serial;	/* below 2^KVFS_PROCESS_SERIAL_BITS */
};

/*
 * Finds out which process has a number now. The serial is the inode number of its pidfd where
 * pidfds have one of their own (Linux 6.9: unique for as long as the machine is up), else
 * the number and the start time: then a second process with the number that started within
 * the same clock tick (10 ms), or 46 hours later to the tick, is taken for the first one.
 * Returns 0, -ESRCH if no thread group has that number, or -errno.
 */
int kvfs_process_identify(pid_t pid, struct kvfs_process_id *out);

/*
 * Opens the process's directory in /proc. The descriptor is O_PATH, the caller's to close,
 * and tied to that process: what is opened beneath it is never another one's. Returns it,
 * or -ENOENT if the process has gone, or -errno.
 */
int kvfs_process_open(const struct kvfs_process_id *id);

/*
 * Opens a file beneath such a descriptor, O_CLOEXEC added to flags. Returns the descriptor
 * for the caller to close, -ESRCH if the process has gone, or -errno.
 */
int kvfs_process_openat(int procdir, const char *name, int flags);

/* The thread group of a thread, or -ESRCH, or -errno. */
pid_t kvfs_process_tgid(pid_t tid);

/* The number in a name as /proc spells it: digits, no leading zero. -ENOENT if it is none. Pure. */
pid_t kvfs_process_parse_pid(const char *name);

/*
 * Field 22 of /proc/N/stat, the start time in clock ticks since boot; the process's name, in
 * parentheses, may hold anything. Returns 0, or -EINVAL if it is not there. Pure.
 */
int kvfs_process_parse_start(const char *stat, uint64_t *ticks);

struct kvfs_process_entry {
	char name[12];		/* a number */
	uint64_t next;		/* cookie of what follows */
};

#define KVFS_PROCESS_LIST 1365	/* a good max: what 32 KiB from the kernel can hold */

/*
 * Fills v with the next processes, at most max of them. cookie is 0 at first, later the
 * `next` of the last entry. Returns how many there are; 0 behind the last one, or -errno.
 */
ssize_t kvfs_process_list(uint64_t cookie, struct kvfs_process_entry *v, size_t max);

#endif /* KVFS_PID_PROCESS_H */
