// SPDX-License-Identifier: GPL-2.0-only
#include "kview-exec/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "kview-exec/memory.h"
#include "kview-exec/real.h"

/* Descriptors beyond are read by the kernel. */
#define MAX_FDS 4096

enum kind {
	UNKNOWN,
	OTHER,		/* or /proc/kcore whose reads cannot be answered */
	KCORE,
};

/*
 * A position that the library keeps is stored as one more, so that zero, which is where every
 * slot begins, means that the kernel keeps it: a descriptor that was not opened here came with
 * an open file that others may have.
 */
#define SHARED INT64_C(0)

struct slot {
	int kind;		/* enum kind */
	int64_t pos1;		/* SHARED, or the position plus 1 */
};

static struct slot slots[MAX_FDS];
static int end_fd;		/* no slot from here on has a position that the library keeps */

static struct slot *slot_of(int fd)
{
	return (unsigned int)fd < MAX_FDS ? &slots[fd] : NULL;
}

/* The file is asked for by what stat(2) has of it; another procfs has other numbers. */
static bool is_proc_kcore(int fd)
{
	struct stat st, kcore;
	struct statfs fs;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0400 &&
	       fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
	       stat("/proc/kcore", &kcore) == 0 && st.st_ino == kcore.st_ino &&
	       st.st_dev == kcore.st_dev;
}

/* Judges a descriptor that is not known. Not inline: each read passes by, and none stops here. */
__attribute__((noinline)) static bool judge(int fd, struct slot *slot)
{
	int saved = errno, kind = is_proc_kcore(fd) ? KCORE : OTHER;

	errno = saved;
	if (kind == KCORE && !kvfs_memory_ready(fd))
		kind = OTHER;
	__atomic_store_n(&slot->kind, kind, __ATOMIC_RELEASE);
	return kind == KCORE;
}

bool kvfs_fds_is_kcore(int fd)
{
	struct slot *slot = slot_of(fd);
	int kind;

	if (!slot)
		return false;
	kind = __atomic_load_n(&slot->kind, __ATOMIC_ACQUIRE);
	if (__builtin_expect(kind == KCORE, 1))
		return true;
	return kind == UNKNOWN && judge(fd, slot);
}

/* Gives the kernel the position, if it is the library's. */
static void hand_over(int fd, struct slot *slot)
{
	int64_t pos1 = __atomic_exchange_n(&slot->pos1, SHARED, __ATOMIC_ACQ_REL);

	if (pos1 != SHARED)
		kvfs_real_lseek(fd, pos1 - 1, SEEK_SET);
}

void kvfs_fds_opened(int fd)
{
	struct slot *slot = slot_of(fd);
	int end = __atomic_load_n(&end_fd, __ATOMIC_RELAXED);

	if (!slot)
		return;
	while (end <= fd && !__atomic_compare_exchange_n(&end_fd, &end, fd + 1, false, __ATOMIC_RELAXED,
							 __ATOMIC_RELAXED))
		;
	__atomic_store_n(&slot->pos1, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->kind, UNKNOWN, __ATOMIC_RELEASE);
}

void kvfs_fds_forget(int fd)
{
	struct slot *slot = slot_of(fd);

	if (!slot)
		return;
	if (__atomic_load_n(&slot->kind, __ATOMIC_ACQUIRE) == KCORE)
		hand_over(fd, slot);
	__atomic_store_n(&slot->pos1, SHARED, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->kind, UNKNOWN, __ATOMIC_RELEASE);
}

void kvfs_fds_forget_range(unsigned int first, unsigned int last)
{
	for (unsigned int fd = first; fd < MAX_FDS && fd <= last; fd++)
		kvfs_fds_forget((int)fd);
}

void kvfs_fds_share(int fd)
{
	struct slot *slot = slot_of(fd);

	if (slot && __atomic_load_n(&slot->kind, __ATOMIC_ACQUIRE) == KCORE)
		hand_over(fd, slot);
	else if (slot)
		__atomic_store_n(&slot->pos1, SHARED, __ATOMIC_RELAXED);
}

void kvfs_fds_share_all(void)
{
	int end = __atomic_load_n(&end_fd, __ATOMIC_RELAXED);

	/* Also those that are not judged yet: they may be found to be /proc/kcore by both processes. */
	for (int fd = 0; fd < end; fd++)
		kvfs_fds_share(fd);
}

/* With the kernel's position, for an open file that is shared. */
static ssize_t read_shared(int fd, void *buf, size_t len)
{
	int64_t pos = kvfs_real_lseek(fd, 0, SEEK_CUR);
	ssize_t n;

	if (pos < 0)
		return pos;
	n = kvfs_memory_pread(fd, buf, len, (uint64_t)pos);
	if (n > 0)
		kvfs_real_lseek(fd, pos + n, SEEK_SET);
	return n;
}

ssize_t kvfs_fds_read(int fd, void *buf, size_t len)
{
	struct slot *slot = slot_of(fd);
	int64_t pos1 = __atomic_load_n(&slot->pos1, __ATOMIC_ACQUIRE);
	int64_t claimed;
	ssize_t n;

	/* Each reader claims its bytes first, so that two threads do not read the same. */
	do {
		if (pos1 == SHARED || __builtin_add_overflow(pos1, len, &claimed)) {
			hand_over(fd, slot);
			return read_shared(fd, buf, len);
		}
	} while (!__atomic_compare_exchange_n(&slot->pos1, &pos1, claimed, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
	n = kvfs_memory_pread(fd, buf, len, (uint64_t)(pos1 - 1));
	if (n < (ssize_t)len)
		__atomic_compare_exchange_n(&slot->pos1, &claimed, pos1 + (n > 0 ? n : 0), false,
					    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	return n;
}

int64_t kvfs_fds_lseek(int fd, int64_t off, int whence)
{
	struct slot *slot = slot_of(fd);
	int64_t pos1 = __atomic_load_n(&slot->pos1, __ATOMIC_ACQUIRE);
	int64_t result;

	if (pos1 == SHARED)
		return kvfs_real_lseek(fd, off, whence);
	if (whence == SEEK_SET) {
		result = off;
	} else if (whence == SEEK_CUR) {
		if (__builtin_add_overflow(pos1 - 1, off, &result))
			return -EOVERFLOW;
	} else {
		result = kvfs_real_lseek(fd, off, whence);
		if (result < 0)
			return result;
	}
	if (result < 0 || result == INT64_MAX)
		return -EINVAL;
	__atomic_store_n(&slot->pos1, result + 1, __ATOMIC_RELEASE);
	return result;
}
