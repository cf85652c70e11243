/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether to open a file is to wait for somebody: for another process, if it is on a FUSE mount,
 * for oneself, if that is a kviewfs, or for another machine. Told by the device that /proc has for
 * a mapped file, without asking the file system.
 */
#ifndef KVFS_PID_MAY_BLOCK_H
#define KVFS_PID_MAY_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define KVFS_MAY_BLOCK_KNOWN 8

/* What is mounted where, read when it is first needed, and answers. All zero at first. */
struct kvfs_may_block {
	char *theirs;		/* mounts that the process sees; NULL: not read yet */
	char *ours;		/* those that the daemon sees, likewise */
	size_t nr;		/* answers so far; the last ones are kept */
	struct {
		dev_t dev;
		bool waits;
	} known[KVFS_MAY_BLOCK_KNOWN];
};

void kvfs_may_block_deinit(struct kvfs_may_block *kinds);

/*
 * Whether files of the file system dev may not be opened. They may if the process or the daemon
 * has it mounted and it is of no type that waits; or if it is the kernel's own, for shared
 * memory, hugetlb, and objects without a file. What nobody has mounted could be anything: a mount
 * that was detached lazily, or is outside of the process's root. procdir: the directory of the
 * process in /proc; all calls for a kinds name the same. Returns 0 or -errno.
 */
int kvfs_may_block_waits(struct kvfs_may_block *kinds, int procdir, dev_t dev, bool *waits);

#endif /* KVFS_PID_MAY_BLOCK_H */
