// SPDX-License-Identifier: GPL-2.0-only
/*
 * libfuse could mount as well, but it prints its errors itself, and if mount(2) fails it runs
 * fusermount3, which is useless to a file system for root. So the mount is made here, and libfuse
 * gets the descriptor (mount point "/dev/fd/N").
 */
#include "fuse/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/mountinfo.h"

#define DEV_FUSE "/dev/fuse"
#define FSTYPE "fuse.kviewfs"

/* Finds the topmost mount at path: 1 if it is a kviewfs, 0 if it is none, or -errno. */
static int find_kviewfs(const char *path, struct kvfs_mountinfo *info, struct kvfs_err *err)
{
	int ret = kvfs_mountinfo_find(path, info);

	if (ret < 0)
		return kvfs_err_sys(err, -ret, "/proc/self/mountinfo cannot be read");
	return ret > 0 && strcmp(info->fstype, FSTYPE) == 0;
}

/*
 * Tells whether the daemon of the kviewfs at path has ended. stat(2) cannot: the kernel may still
 * have the root's attributes. statfs(2) sends a request.
 */
static bool is_dead(const char *path)
{
	struct statfs st;

	return statfs(path, &st) < 0 && errno == ENOTCONN;
}

/* Unmounts a kviewfs whose daemon was killed. */
static int clear_dead(const char *path, const char *real, struct kvfs_err *err)
{
	if (!is_dead(real))
		return kvfs_err_set(err, EBUSY, "a kviewfs is mounted on %s already: umount it first", path);
	if (umount2(real, MNT_DETACH) < 0)
		return kvfs_err_sys(err, errno, "the dead kviewfs on %s cannot be unmounted", path);
	return 0;
}

/* Returns 0 if kviewfs can be mounted there. real is path without links. */
static int check_dir(const char *path, const char *real, struct kvfs_err *err)
{
	struct kvfs_mountinfo info;
	struct stat st;
	int ret;

	/* There are several if the mount was copied. */
	while ((ret = find_kviewfs(real, &info, err)) > 0) {
		ret = clear_dead(path, real, err);
		if (ret < 0)
			return ret;
	}
	if (ret < 0)
		return ret;
	if (stat(real, &st) < 0)
		return kvfs_err_sys(err, errno, "mount point %s", path);
	if (!S_ISDIR(st.st_mode))
		return kvfs_err_set(err, ENOTDIR, "mount point %s is not a directory", path);
	return 0;
}

static int open_fuse(struct kvfs_err *err)
{
	int fd = open(DEV_FUSE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return kvfs_err_set(err, errno, "this kernel has no FUSE now (%s: %s): modprobe fuse", DEV_FUSE, strerror(errno));
	return kvfs_err_sys(err, errno, "cannot open %s", DEV_FUSE);
}

static int mount_fuse(const char *path, int fd, bool allow_other, unsigned int max_read,
		      struct kvfs_err *err)
{
	char data[128];

	snprintf(data, sizeof(data), "fd=%d,rootmode=40500,user_id=0,group_id=0,default_permissions,max_read=%u%s",
		 fd, max_read, allow_other ? ",allow_other" : "");
	if (mount("kviewfs", path, FSTYPE, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME,
		  data) == 0)
		return 0;
	if (errno == ENODEV)
		return kvfs_err_set(err, ENODEV, "this kernel has no FUSE now: modprobe fuse");
	if (errno == EPERM)
		return kvfs_err_set(err, EPERM, "cannot mount on %s: CAP_SYS_ADMIN is needed", path);
	return kvfs_err_sys(err, errno, "cannot mount on %s", path);
}

int kvfs_mount_create(const char *path, bool allow_other, unsigned int max_read,
		      struct kvfs_mount *out, struct kvfs_err *err)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	_cleanup_close_ int fd = -1;
	struct kvfs_mountinfo info;
	int ret;

	if (!real)
		return kvfs_err_sys(err, errno, "mount point %s", path);
	ret = check_dir(path, real, err);
	if (ret < 0)
		return ret;
	fd = open_fuse(err);
	if (fd < 0)
		return fd;
	ret = mount_fuse(real, fd, allow_other, max_read, err);
	if (ret < 0)
		return ret;
	/* Without its device number, unmounting could hit another mount. */
	ret = find_kviewfs(real, &info, err);
	if (ret <= 0) {
		umount2(real, MNT_DETACH);
		return ret < 0 ? ret : kvfs_err_set(err, ENOENT, "what was mounted on %s is not in /proc/self/mountinfo", path);
	}
	out->dev = info.dev;
	out->path = kvfs_steal_ptr(real);
	return kvfs_steal_fd(&fd);
}

static bool is_connected(int fuse_fd)
{
	struct pollfd fd = { .fd = fuse_fd };

	return fuse_fd >= 0 && poll(&fd, 1, 0) >= 0 && !(fd.revents & (POLLERR | POLLNVAL));
}

/*
 * A user may have unmounted it and mounted another kviewfs there, to which the kernel gave the same
 * device number. While our connection exists the number is in use, as the kernel ends the connection
 * before it frees the number. Without a connection, our own mount is a dead one. What mountinfo
 * cannot be asked about is left alone.
 */
static bool is_ours(const struct kvfs_mount *mountpoint, int fuse_fd)
{
	struct kvfs_mountinfo info;
	struct kvfs_err err;

	return find_kviewfs(mountpoint->path, &info, &err) > 0 && info.dev == mountpoint->dev &&
	       (is_connected(fuse_fd) || is_dead(mountpoint->path));
}

void kvfs_mount_destroy(struct kvfs_mount *mountpoint, int fuse_fd)
{
	if (mountpoint->path && is_ours(mountpoint, fuse_fd))
		umount2(mountpoint->path, MNT_DETACH);
	free(mountpoint->path);
	mountpoint->path = NULL;
}
