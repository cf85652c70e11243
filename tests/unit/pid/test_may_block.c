// SPDX-License-Identifier: GPL-2.0-only
#include "pid/may_block.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "failalloc.h"
#include "unit.h"

/* No process: a call that has to read its mounts fails. */
#define NO_PROCESS (-1)

static const char theirs[] =
	"20 1 0:7001 / /mnt/a rw - fuse.kviewfs kviewfs ro\n"
	"21 1 0:7002 / /mnt/b rw,shared shared:3 - fuse sshfs rw\n"
	"22 1 8:7003 / /mnt/c rw - fuseblk /dev/sda rw\n"
	"23 1 0:7004 / /mnt/d rw - nfs4 server:/ rw\n"
	"24 1 0:7005 / /mnt/e rw - virtiofs share rw\n"
	"25 1 0:7006 / /mnt/f rw - btrfs /dev/sdb rw\n"
	"26 1 8:7007 / /mnt/g rw - ext4 /dev/sdc rw\n"
	"27 1 0:7008 / /mnt/h rw - fusectl fusectl rw\n"
	"28 1 8:7001 / /mnt/i rw - xfs /dev/sdd rw\n";

static const char ours[] =
	"40 1 0:7101 / /mnt/a rw - fuse x rw\n"
	"41 1 0:7102 / /mnt/b rw - tmpfs x rw\n";

static struct kvfs_may_block make(void)
{
	return (struct kvfs_may_block) { .theirs = strdup(theirs), .ours = strdup(ours) };
}

static bool blocks(struct kvfs_may_block *may_block, unsigned int major_nr, unsigned int minor_nr)
{
	bool ret;

	ck_assert_int_eq(kvfs_may_block_dev(may_block, NO_PROCESS, makedev(major_nr, minor_nr), &ret), 0);
	return ret;
}

START_TEST(test_types)
{
	struct kvfs_may_block may_block = make();

	/* Twice, because answers are kept; these are more than are kept. */
	for (int i = 0; i < 2; i++) {
		ck_assert(blocks(&may_block, 0, 7001));
		ck_assert(blocks(&may_block, 0, 7002));
		ck_assert(blocks(&may_block, 8, 7003));
		ck_assert(blocks(&may_block, 0, 7004));
		ck_assert(blocks(&may_block, 0, 7005));
		ck_assert(!blocks(&may_block, 0, 7006));
		ck_assert(!blocks(&may_block, 8, 7007));
		ck_assert(!blocks(&may_block, 0, 7008));
		ck_assert(!blocks(&may_block, 8, 7001));
		ck_assert(blocks(&may_block, 0, 7101));
		ck_assert(!blocks(&may_block, 0, 7102));
	}
	kvfs_may_block_deinit(&may_block);
	ck_assert_ptr_null(may_block.theirs);
}
END_TEST

/* A mount that was detached lazily, or is in another mount namespace. */
START_TEST(test_unlisted)
{
	struct kvfs_may_block may_block = make();

	ck_assert(blocks(&may_block, 0, 7999));
	ck_assert(blocks(&may_block, 8, 7999));
	kvfs_may_block_deinit(&may_block);
}
END_TEST

/* No mount table lists the kernel's own mounts. */
START_TEST(test_own)
{
	struct kvfs_may_block may_block = make();
	struct stat st;
	int fds[2];

	ck_assert_int_eq(fstat(unit_file("x", 1), &st), 0);
	ck_assert_uint_eq(major(st.st_dev), 0);
	ck_assert(!blocks(&may_block, 0, minor(st.st_dev)));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(fstat(fds[0], &st), 0);
	ck_assert(!blocks(&may_block, 0, minor(st.st_dev)));
	kvfs_may_block_deinit(&may_block);
}
END_TEST

/* With the mount tables of this process. */
START_TEST(test_here)
{
	int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct kvfs_may_block may_block = { 0 };
	struct stat st;
	bool ret = true;

	ck_assert_int_eq(stat("/proc", &st), 0);
	ck_assert_int_eq(kvfs_may_block_dev(&may_block, self, st.st_dev, &ret), 0);
	ck_assert(!ret);
	ck_assert_ptr_nonnull(may_block.theirs);
	kvfs_may_block_deinit(&may_block);
	ck_assert_int_eq(kvfs_may_block_dev(&may_block, NO_PROCESS, st.st_dev, &ret), -EBADF);
	kvfs_may_block_deinit(&may_block);
	close(self);
}
END_TEST

/* Calls fail while there are too few descriptors, and later ones are right. */
START_TEST(test_few_descriptors)
{
	struct kvfs_may_block may_block = { 0 };
	_cleanup_close_ int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat memory, proc;
	bool answer = true;
	int ret;

	ck_assert_int_eq(fstat(unit_file("x", 1), &memory), 0);
	ck_assert_int_eq(stat("/proc", &proc), 0);
	unit_try_few_fds(ret, ret = kvfs_may_block_dev(&may_block, self, memory.st_dev, &answer));
	ck_assert(!answer);
	answer = true;
	unit_try_few_fds(ret, ret = kvfs_may_block_dev(&may_block, self, proc.st_dev, &answer));
	ck_assert(!answer);
	kvfs_may_block_deinit(&may_block);
}
END_TEST

START_TEST(test_little_memory)
{
	_cleanup_close_ int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct kvfs_may_block may_block = { 0 };
	struct stat proc;
	bool answer = true;
	int ret;

	ck_assert_int_eq(stat("/proc", &proc), 0);
	failalloc_try_all(ret, ret = kvfs_may_block_dev(&may_block, self, proc.st_dev, &answer));
	ck_assert(!answer);
	kvfs_may_block_deinit(&may_block);
}
END_TEST

UNIT_MAIN("may_block", test_types, test_unlisted, test_own, test_here, test_few_descriptors,
	  test_little_memory)
