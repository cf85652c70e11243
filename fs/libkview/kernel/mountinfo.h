/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/self/mountinfo: what is mounted where, without asking the file system itself. */
#ifndef KVFS_KERNEL_MOUNTINFO_H
#define KVFS_KERNEL_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct kvfs_mountinfo {
	dev_t dev;		/* st_dev of its files */
	char fstype[64];	/* with the subtype: "fuse.kviewfs" */
};

/*
 * Finds the mount at path, an absolute path without links, the topmost if there are
 * several. Returns whether there is one.
 */
bool kvfs_mountinfo_find(const char *path, struct kvfs_mountinfo *out);

/*
 * Reads the mounts that a process sees, of which procdir is the directory in /proc. *text is
 * the caller's to free. Returns 0 or -errno.
 */
int kvfs_mountinfo_load(int procdir, char **text);

/* Finds any mount of the file system that has a device number. Pure. */
bool kvfs_mountinfo_parse_dev(const char *text, dev_t dev, struct kvfs_mountinfo *out);

/* As kvfs_mountinfo_find(), in a text that was read already. Pure. */
bool kvfs_mountinfo_parse(const char *text, const char *path, struct kvfs_mountinfo *out);

#endif /* KVFS_KERNEL_MOUNTINFO_H */
