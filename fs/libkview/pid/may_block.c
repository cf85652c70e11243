// SPDX-License-Identifier: GPL-2.0-only
#include "pid/may_block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/once.h"
#include "kernel/mountinfo.h"

#define MAX_OWN 16
#define HUGE_SHIFT 26		/* MFD_HUGE_SHIFT of linux/memfd.h, which libc's header excludes */

/* Types of file systems that a process or a server answers for; also "fuse." with any subtype. */
static const char *const blocking_types[] = {
	"9p", "afs", "beegfs", "ceph", "cifs", "coda", "fuse", "fuseblk", "lustre", "nfs", "nfs4", "pvfs2",
	"smb3", "vboxsf", "virtiofs",
};

static dev_t own[MAX_OWN];	/* devices of the kernel's own mounts; set by find_own() */
static size_t nr_own;

/* Consumes fd, which is what open or its like returned. A kind that this kernel lacks is left out. */
static int add_own(int fd)
{
	struct stat st;
	int ret = 0;

	if (fd < 0)
		return kvfs_err_is_shortage(-errno) ? -errno : 0;
	if (fstat(fd, &st) < 0)
		ret = -errno;
	else if (nr_own < MAX_OWN)
		own[nr_own++] = st.st_dev;
	close(fd);
	return ret;
}

/* For kvfs_once(): 0 or -errno. */
static int find_own(void)
{
	/* log2 of the sizes of huge pages, each of which has a mount. */
	static const unsigned int shifts[] = { 16, 21, 25, 29, 30, 34 };
	int ret;

	nr_own = 0;
	ret = add_own(memfd_create("kviewfs", MFD_CLOEXEC));
	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]) && ret == 0; i++)
		ret = add_own(memfd_create("kviewfs", MFD_CLOEXEC | MFD_HUGETLB | shifts[i] << HUGE_SHIFT));
	if (ret == 0)
		ret = add_own(eventfd(0, EFD_CLOEXEC));
	if (ret == 0)
		ret = add_own(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	return ret;
}

/* Tells whether dev is one of the kernel's own mounts: 1, 0, or -errno. */
static int is_own(dev_t dev)
{
	static struct kvfs_once once = KVFS_ONCE_INIT;
	int ret = kvfs_once(&once, find_own);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < nr_own; i++)
		if (own[i] == dev)
			return 1;
	return 0;
}

static bool is_blocking_type(const char *fstype)
{
	for (size_t i = 0; i < sizeof(blocking_types) / sizeof(blocking_types[0]); i++)
		if (strcmp(fstype, blocking_types[i]) == 0)
			return true;
	return strncmp(fstype, "fuse.", 5) == 0;
}

void kvfs_may_block_deinit(struct kvfs_may_block *may_block)
{
	free(may_block->theirs);
	free(may_block->ours);
	*may_block = (struct kvfs_may_block) { 0 };
}

/* Looks dev up in *text, which it loads first if NULL: 1 and *info, 0 if dev is not in it, -errno. */
static int look_up(char **text, int procdir, dev_t dev, struct kvfs_mountinfo *info)
{
	int ret = *text ? 0 : kvfs_mountinfo_load(procdir, text);

	return ret < 0 ? ret : kvfs_mountinfo_parse_dev(*text, dev, info);
}

static int look_up_ours(struct kvfs_may_block *may_block, dev_t dev, struct kvfs_mountinfo *info)
{
	_cleanup_close_ int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return self < 0 ? -errno : look_up(&may_block->ours, self, dev, info);
}

static int find_out(struct kvfs_may_block *may_block, int procdir, dev_t dev, bool *blocks)
{
	struct kvfs_mountinfo info;
	int ret;

	*blocks = false;
	ret = is_own(dev);
	if (ret)
		return ret < 0 ? ret : 0;
	ret = look_up(&may_block->theirs, procdir, dev, &info);
	if (ret == 0)
		ret = look_up_ours(may_block, dev, &info);
	if (ret < 0)
		return ret;
	*blocks = ret == 0 || is_blocking_type(info.fstype);
	return 0;
}

int kvfs_may_block_dev(struct kvfs_may_block *may_block, int procdir, dev_t dev, bool *blocks)
{
	size_t i;
	int ret;

	for (i = 0; i < may_block->nr && i < KVFS_MAY_BLOCK_KNOWN; i++) {
		if (may_block->known[i].dev == dev) {
			*blocks = may_block->known[i].blocks;
			return 0;
		}
	}
	ret = find_out(may_block, procdir, dev, blocks);
	if (ret < 0)
		return ret;
	i = may_block->nr++ % KVFS_MAY_BLOCK_KNOWN;
	may_block->known[i].dev = dev;
	may_block->known[i].blocks = *blocks;
	return 0;
}
