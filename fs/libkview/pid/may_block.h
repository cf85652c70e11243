/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells whether open() may block on another process, on a FUSE daemon (possibly this one), or on a
 * remote server. The device number that /proc has for a mapped file and the mount tables decide;
 * the file system is not asked.
 */
#ifndef KVFS_PID_MAY_BLOCK_H
#define KVFS_PID_MAY_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define KVFS_MAY_BLOCK_KNOWN 8	/* answers that are kept */

/* Mount tables, read when they are first needed, and answers. All zero at first. For one thread. */
struct kvfs_may_block {
	char *theirs;		/* mounts that the process sees; NULL: not read yet */
	char *ours;		/* mounts that the daemon sees; NULL: not read yet */
	size_t nr;		/* answers so far, of which the last ones are in known */
	struct {
		dev_t dev;
		bool blocks;
	} known[KVFS_MAY_BLOCK_KNOWN];
};

void kvfs_may_block_deinit(struct kvfs_may_block *may_block);

/*
 * Sets *blocks to whether opening a file of the file system dev may block. It may not if the
 * process or the daemon has dev mounted and its type is not one that a process or a server
 * answers for, or if dev is one of the kernel's own mounts (shared memory, hugetlb, objects
 * without a file). A device in neither mount table may be anything, as a mount that was detached
 * lazily, so it may block. procdir: the directory of the process in /proc, the same in all calls
 * with one may_block. Returns 0 or -errno.
 */
int kvfs_may_block_dev(struct kvfs_may_block *may_block, int procdir, dev_t dev, bool *blocks);

#endif /* KVFS_PID_MAY_BLOCK_H */
