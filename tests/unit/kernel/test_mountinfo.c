// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/mountinfo.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

#include "failalloc.h"
#include "unit.h"

static const char sample[] =
	"22 27 0:21 / /proc rw,relatime - proc proc rw\n"
	"27 1 259:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
	"55 27 0:46 / /mnt ro,nosuid - fuse.kviewfs kviewfs ro,user_id=0\n"
	"56 55 0:47 / /mnt rw shared:5 master:2 - tmpfs tmpfs rw\n"
	"57 27 0:48 / /a\\040b\\011c\\134d rw - fuse.kviewfs kviewfs rw\n"
	"58 27 0:49 /dir - /dash rw - xfs /dev/sdb rw\n"
	"59 27 8:65536 / /large rw - btrfs /dev/sdc rw";

static void check(const char *path, unsigned int major_nr, unsigned int minor_nr, const char *fstype)
{
	struct kvfs_mountinfo info;

	ck_assert_msg(kvfs_mountinfo_parse(sample, path, &info), "%s", path);
	ck_assert_uint_eq(info.dev, makedev(major_nr, minor_nr));
	ck_assert_str_eq(info.fstype, fstype);
}

START_TEST(finds_mounts)
{
	check("/", 259, 1, "ext4");
	check("/proc", 0, 21, "proc");
	/* The topmost. */
	check("/mnt", 0, 47, "tmpfs");
	check("/a b\tc\\d", 0, 48, "fuse.kviewfs");
	/* The last line has no end. */
	check("/large", 8, 65536, "btrfs");
}
END_TEST

/* A mount is not overlooked because memory is short. */
START_TEST(needs_no_memory)
{
	struct kvfs_mountinfo info;

	for (int line = 0; line < 7; line++) {
		bool found, failed;

		failalloc_arm(line);
		found = kvfs_mountinfo_parse(sample, "/mnt", &info) && kvfs_mountinfo_parse_dev(sample, makedev(0, 48), &info);
		failed = failalloc_happened();
		ck_assert(found && !failed);
	}
	ck_assert_str_eq(info.fstype, "fuse.kviewfs");
}
END_TEST

START_TEST(finds_nothing_else)
{
	static const char *const paths[] = { "", "/m", "/mnt/", "/mntx", "/proc/self", "/a b\tc", "/a b\tc\\dx", "/dir" };
	struct kvfs_mountinfo info;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		ck_assert_msg(!kvfs_mountinfo_parse(sample, paths[i], &info), "%s", paths[i]);
}
END_TEST

START_TEST(survives_garbage)
{
	static const char *const texts[] = {
		"", "\n\n\n", "x", "1 2 3:4", "1 2 3:4 / /mnt", "1 2 3:4 / /mnt rw", "1 2 3:4 / /mnt rw - ",
		"1 2 3:4 / /mnt rw -", "1 2 x:4 / /mnt rw - t s o", "1 2 3:4 / \\", "1 2 3:4 / \\04 rw - t s o",
	};
	struct kvfs_mountinfo info;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ck_assert_msg(!kvfs_mountinfo_parse(texts[i], "/mnt", &info), "%s", texts[i]);
}
END_TEST

START_TEST(finds_this_machines_root)
{
	struct kvfs_mountinfo info;

	ck_assert_int_eq(kvfs_mountinfo_find("/proc", &info), 1);
	ck_assert_str_eq(info.fstype, "proc");
	ck_assert_int_eq(kvfs_mountinfo_find("/nonexistent", &info), 0);
}
END_TEST

START_TEST(an_error_is_not_an_absence)
{
	struct rlimit old, none;
	struct kvfs_mountinfo info;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = old.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(kvfs_mountinfo_find("/proc", &info), -EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
}
END_TEST

UNIT_MAIN("mountinfo", finds_mounts, needs_no_memory, finds_nothing_else, survives_garbage, finds_this_machines_root,
	  an_error_is_not_an_absence)
