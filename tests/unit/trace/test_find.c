// SPDX-License-Identifier: GPL-2.0-only
/* Where tracefs is, by a stand-in for libtracefs. */
#include "trace/find.h"

#include <errno.h>

#include "unit.h"

static const char *mounted, *mountable;
static int mount_errno;
static unsigned int nr_mounts;

int __wrap_tracefs_tracing_dir_is_mounted(bool mount, const char **path);

int __wrap_tracefs_tracing_dir_is_mounted(bool mount, const char **path)
{
	if (mounted) {
		*path = mounted;
		return 1;
	}
	if (!mount)
		return 0;
	nr_mounts++;
	if (!mountable) {
		errno = mount_errno;
		return -1;
	}
	*path = mounted = mountable;
	return 0;
}

START_TEST(mounted_already)
{
	char path[64];

	mounted = "/sys/kernel/tracing";
	ck_assert_int_eq(kvfs_trace_find(true, path, sizeof(path), NULL), 0);
	ck_assert_str_eq(path, "/sys/kernel/tracing");
	ck_assert_uint_eq(nr_mounts, 0);
}
END_TEST

START_TEST(mounted_if_wanted)
{
	struct kvfs_err err = { 0 };
	char path[64];

	mountable = "/sys/kernel/tracing";
	unit_assert_error(kvfs_trace_find(false, path, sizeof(path), &err), ENOENT, err, "tracefs is not mounted");
	ck_assert_uint_eq(nr_mounts, 0);
	ck_assert_int_eq(kvfs_trace_find(true, path, sizeof(path), &err), 0);
	ck_assert_str_eq(path, "/sys/kernel/tracing");
	ck_assert_uint_eq(nr_mounts, 1);
}
END_TEST

START_TEST(cannot_be_mounted)
{
	struct kvfs_err err = { 0 };
	char path[8];

	mount_errno = EPERM;
	unit_assert_error(kvfs_trace_find(true, path, sizeof(path), &err), EPERM, err, "cannot mount tracefs");
	mount_errno = 0;
	unit_assert_error(kvfs_trace_find(true, path, sizeof(path), &err), ENODEV, err, "cannot mount tracefs");
	mounted = "/sys/kernel/tracing";
	unit_assert_error(kvfs_trace_find(true, path, sizeof(path), &err), ENAMETOOLONG, err, "too long");
}
END_TEST

UNIT_MAIN("find",
	mounted_already,
	mounted_if_wanted,
	cannot_be_mounted)
