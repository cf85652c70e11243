// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's mounts are a stand-in: one mount point, and what is mounted on it. */
#include "fuse/mount.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "kernel/mountinfo.h"
#include "unit.h"

#define OURS 42

/* Mounts on the mount point, the topmost last. */
static struct { dev_t dev; const char *fstype; bool dead; } stack[4];
static int depth;
static int mount_errno, umount_errno, open_errno;
static int asks_until_emfile = -1;	/* of mountinfo */
static bool vanishes;		/* a mount that succeeds is not to be found */
static char options[256];
static int connection[2];	/* /dev/fuse and the kernel: a pipe, whose writer polls POLLERR when the reader is gone */

int __wrap_mount(const char *source, const char *target, const char *fstype, unsigned long flags, const void *data);
int __wrap_mount(const char *source, const char *target, const char *fstype, unsigned long flags, const void *data)
{
	ck_assert_uint_eq(flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC), MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
	if (mount_errno) {
		errno = mount_errno;
		return -1;
	}
	snprintf(options, sizeof(options), "%s", (const char *)data);
	if (!vanishes) {
		stack[depth].dev = OURS;
		stack[depth].dead = false;
		stack[depth++].fstype = "fuse.kviewfs";
	}
	return 0;
}

int __wrap_umount2(const char *target, int flags);
int __wrap_umount2(const char *target, int flags)
{
	if (umount_errno) {
		errno = umount_errno;
		return -1;
	}
	if (depth > 0)
		depth--;
	return 0;
}

static int ask_the_daemon(void)
{
	if (depth > 0 && !stack[depth - 1].dead)
		return 0;
	errno = ENOTCONN;
	return -1;
}

int __wrap_statfs(const char *path, struct statfs *st);
int __wrap_statfs(const char *path, struct statfs *st)
{
	return ask_the_daemon();
}

int __wrap_statfs64(const char *path, void *st);
int __wrap_statfs64(const char *path, void *st)
{
	return ask_the_daemon();
}

int __wrap_kvfs_mountinfo_find(const char *path, struct kvfs_mountinfo *out);
int __wrap_kvfs_mountinfo_find(const char *path, struct kvfs_mountinfo *out)
{
	if (asks_until_emfile == 0)
		return -EMFILE;
	asks_until_emfile--;
	if (depth == 0)
		return 0;
	out->dev = stack[depth - 1].dev;
	snprintf(out->fstype, sizeof(out->fstype), "%s", stack[depth - 1].fstype);
	return 1;
}

static int open_stand_in(void)
{
	int ends[2];

	if (open_errno) {
		errno = open_errno;
		return -1;
	}
	ck_assert_int_eq(pipe(ends), 0);
	connection[0] = ends[1];
	connection[1] = ends[0];
	return connection[0];
}

int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	ck_assert_str_eq(path, "/dev/fuse");
	return open_stand_in();
}

int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	ck_assert_str_eq(path, "/dev/fuse");
	return open_stand_in();
}

static struct kvfs_mount mnt;
static struct kvfs_err err;

static int create(void)
{
	return kvfs_mount_create("/tmp", false, 65536, &mnt, &err);
}

START_TEST(mounts_and_unmounts)
{
	int fd = kvfs_mount_create("/tmp/.", true, 65536, &mnt, &err);

	ck_assert_int_eq(fd, connection[0]);
	ck_assert_str_eq(mnt.path, "/tmp");
	ck_assert_uint_eq(mnt.dev, OURS);
	ck_assert_ptr_nonnull(strstr(options, "max_read=65536,allow_other"));
	ck_assert_ptr_nonnull(strstr(options, "default_permissions"));
	kvfs_mount_destroy(&mnt, fd);
	ck_assert_int_eq(depth, 0);
	ck_assert_ptr_null(mnt.path);
	/* Again, and of what was never mounted: nothing. */
	kvfs_mount_destroy(&mnt, fd);
	ck_assert_int_ge(create(), 0);
	ck_assert_ptr_null(strstr(options, "allow_other"));
	kvfs_mount_destroy(&mnt, connection[0]);
}
END_TEST

START_TEST(where_nothing_can_be_mounted)
{
	unit_assert_error(kvfs_mount_create("/nowhere", false, 65536, &mnt, &err), ENOENT, err, "mount point /nowhere");
	unit_assert_error(kvfs_mount_create("/dev/null", false, 65536, &mnt, &err), ENOTDIR, err, "is not a directory");
	open_errno = ENOENT;
	unit_assert_error(create(), ENOENT, err, "modprobe fuse");
	open_errno = EMFILE;
	unit_assert_error(create(), EMFILE, err, "cannot open /dev/fuse");
	open_errno = 0;
	mount_errno = ENODEV;
	unit_assert_error(create(), ENODEV, err, "modprobe fuse");
	mount_errno = EPERM;
	unit_assert_error(create(), EPERM, err, "CAP_SYS_ADMIN");
	mount_errno = EBUSY;
	unit_assert_error(create(), EBUSY, err, "cannot mount on /tmp");
	mount_errno = 0;
	vanishes = true;
	unit_assert_error(create(), ENOENT, err, "is not in /proc/self/mountinfo");
	ck_assert_ptr_null(mnt.path);
}
END_TEST

START_TEST(what_is_mounted_there_already)
{
	stack[0].dev = stack[1].dev = 7;
	stack[0].fstype = stack[1].fstype = "fuse.kviewfs";
	depth = 2;
	unit_assert_error(create(), EBUSY, err, "is mounted on /tmp already");
	ck_assert_int_eq(depth, 2);
	/* Dead ones are cleared away, */
	stack[0].dead = stack[1].dead = true;
	umount_errno = EPERM;
	unit_assert_error(create(), EPERM, err, "dead kviewfs on /tmp cannot be unmounted");
	umount_errno = 0;
	ck_assert_int_ge(create(), 0);
	ck_assert_int_eq(depth, 1);
	kvfs_mount_destroy(&mnt, connection[0]);
	/* and other file systems stay below. */
	stack[0].fstype = "tmpfs";
	stack[0].dead = false;
	depth = 1;
	ck_assert_int_ge(create(), 0);
	ck_assert_int_eq(depth, 2);
	kvfs_mount_destroy(&mnt, connection[0]);
	ck_assert_int_eq(depth, 1);
}
END_TEST

/* What the mount point has at the end may be another mount. */
START_TEST(only_its_own_is_unmounted)
{
	int fd;

	/* Another mount over it. */
	fd = create();
	stack[depth].dev = 7;
	stack[depth++].fstype = "tmpfs";
	kvfs_mount_destroy(&mnt, fd);
	ck_assert_int_eq(depth, 2);
	/* Another kviewfs, */
	depth = 0;
	fd = create();
	stack[0].dev = 7;
	kvfs_mount_destroy(&mnt, fd);
	ck_assert_int_eq(depth, 1);
	/* also one that got the device number, when the connection has ended; -1: it was closed. */
	for (int i = 0; i < 2; i++) {
		depth = 0;
		fd = create();
		close(connection[1]);
		kvfs_mount_destroy(&mnt, i ? -1 : fd);
		ck_assert_int_eq(depth, 1);
	}
	/* A dead one with the number is ours. */
	depth = 0;
	fd = create();
	close(connection[1]);
	stack[0].dead = true;
	kvfs_mount_destroy(&mnt, -1);
	ck_assert_int_eq(depth, 0);
}
END_TEST

/* What cannot be known is no "nothing is mounted there". */
START_TEST(mountinfo_cannot_be_read)
{
	asks_until_emfile = 0;
	unit_assert_error(create(), EMFILE, err, "/proc/self/mountinfo cannot be read");
	ck_assert_int_eq(depth, 0);
	/* Read before, not after: nothing stays mounted. */
	asks_until_emfile = 1;
	unit_assert_error(create(), EMFILE, err, "/proc/self/mountinfo cannot be read");
	ck_assert_int_eq(depth, 0);
	/* At the end: it is left. */
	asks_until_emfile = 2;
	ck_assert_int_ge(create(), 0);
	kvfs_mount_destroy(&mnt, connection[0]);
	ck_assert_int_eq(depth, 1);
}
END_TEST

UNIT_MAIN("mount", mounts_and_unmounts, where_nothing_can_be_mounted, what_is_mounted_there_already,
	  only_its_own_is_unmounted, mountinfo_cannot_be_read)
