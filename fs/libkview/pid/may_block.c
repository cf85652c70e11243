// SPDX-License-Identifier: GPL-2.0-only
#include "pid/may_block.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/mountinfo.h"

#define MAX_OWN 16
#define HUGE_SHIFT 26		/* MFD_HUGE_SHIFT of linux/memfd.h, which libc's header excludes */

/* Types of file systems that some process or another machine serves; "fuse" with any subtype. */
static const char *const waiting[] = {
	"9p", "afs", "beegfs", "ceph", "cifs", "coda", "fuse", "fuseblk", "lustre", "nfs", "nfs4", "pvfs2",
	"smb3", "vboxsf", "virtiofs",
};

static pthread_once_t own_once = PTHREAD_ONCE_INIT;
static dev_t own[MAX_OWN];	/* devices of the kernel's own mounts */
static size_t nr_own;

/* Takes over fd. What this kernel does not have fails, and is of no interest. */
static void add_own(int fd)
{
	struct stat st;

	if (fd < 0)
		return;
	if (nr_own < MAX_OWN && fstat(fd, &st) == 0)
		own[nr_own++] = st.st_dev;
	close(fd);
}

static void find_own(void)
{
	/* Sizes of huge pages, as powers of two: there is a mount for each. */
	static const unsigned int shifts[] = { 16, 21, 25, 29, 30, 34 };

	add_own(memfd_create("kviewfs", MFD_CLOEXEC));
	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++)
		add_own(memfd_create("kviewfs", MFD_CLOEXEC | MFD_HUGETLB | shifts[i] << HUGE_SHIFT));
	add_own(eventfd(0, EFD_CLOEXEC));
	add_own(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static bool is_own(dev_t dev)
{
	pthread_once(&own_once, find_own);
	for (size_t i = 0; i < nr_own; i++)
		if (own[i] == dev)
			return true;
	return false;
}

static bool is_waiting(const char *fstype)
{
	for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); i++)
		if (strcmp(fstype, waiting[i]) == 0)
			return true;
	return strncmp(fstype, "fuse.", 5) == 0;
}

void kvfs_may_block_deinit(struct kvfs_may_block *kinds)
{
	free(kinds->theirs);
	free(kinds->ours);
	*kinds = (struct kvfs_may_block) { 0 };
}

/* Looks in *text, which is read first if it is NULL: 1 and *info, 0 if dev is not in it, -errno. */
static int look_up(char **text, int procdir, dev_t dev, struct kvfs_mountinfo *info)
{
	int ret = *text ? 0 : kvfs_mountinfo_load(procdir, text);

	return ret < 0 ? ret : kvfs_mountinfo_parse_dev(*text, dev, info);
}

static int look_up_ours(struct kvfs_may_block *kinds, dev_t dev, struct kvfs_mountinfo *info)
{
	int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int ret = look_up(&kinds->ours, self, dev, info);

	if (self >= 0)
		close(self);
	return ret;
}

static int find_out(struct kvfs_may_block *kinds, int procdir, dev_t dev, bool *waits)
{
	struct kvfs_mountinfo info;
	int ret;

	*waits = false;
	if (is_own(dev))
		return 0;
	ret = look_up(&kinds->theirs, procdir, dev, &info);
	if (ret == 0)
		ret = look_up_ours(kinds, dev, &info);
	if (ret < 0)
		return ret;
	*waits = ret == 0 || is_waiting(info.fstype);
	return 0;
}

int kvfs_may_block_waits(struct kvfs_may_block *kinds, int procdir, dev_t dev, bool *waits)
{
	size_t i;
	int ret;

	for (i = 0; i < kinds->nr && i < KVFS_MAY_BLOCK_KNOWN; i++) {
		if (kinds->known[i].dev == dev) {
			*waits = kinds->known[i].waits;
			return 0;
		}
	}
	ret = find_out(kinds, procdir, dev, waits);
	if (ret < 0)
		return ret;
	i = kinds->nr++ % KVFS_MAY_BLOCK_KNOWN;
	kinds->known[i].dev = dev;
	kinds->known[i].waits = *waits;
	return 0;
}
