/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/PID/mountinfo: what is mounted where. Unlike stat(2) and statfs(2), it never waits for the
 * file system.
 */
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
 * Finds the mount at path, an absolute path without links; the topmost if there are several.
 * Returns 1, 0 if there is none, or the -errno of reading /proc/self/mountinfo.
 */
int kvfs_mountinfo_find(const char *path, struct kvfs_mountinfo *out);

/*
 * Reads the mounts that a process sees. procdir is a descriptor of its directory in /proc. The
 * caller frees *text. Returns 0 or -errno.
 */
int kvfs_mountinfo_load(int procdir, char **text);

/* Finds a mount of the file system with this device number. Pure. */
bool kvfs_mountinfo_parse_dev(const char *text, dev_t dev, struct kvfs_mountinfo *out);

/* As kvfs_mountinfo_find(), in a text; false if there is none. Pure. */
bool kvfs_mountinfo_parse(const char *text, const char *path, struct kvfs_mountinfo *out);

#endif /* KVFS_KERNEL_MOUNTINFO_H */
