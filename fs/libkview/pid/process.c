// SPDX-License-Identifier: GPL-2.0-only
#include "pid/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/number.h"
#include "base/once.h"

/* PIDFS_MAGIC of linux/magic.h in Linux 6.9, for builds against older headers. */
#define MAGIC_OF_PIDFS 0x50494446
#define PID_LIMIT (1 << 22)		/* PID_MAX_LIMIT of 64-bit kernels, exclusive */
#define TICK_BITS (KVFS_PROCESS_SERIAL_BITS - 22)
#define STAT_MAX 4096			/* bytes: /proc/N/stat is one line of numbers */
#define STATUS_MAX 65536
#define TGID_KEY "\nTgid:\t"
#define DENT_MIN 24			/* bytes of the shortest struct dirent64 */
#define DENTS_MIN 512			/* bytes: room for any entry */
#define DENTS_LEN (KVFS_PROCESS_LIST * DENT_MIN)

static int open_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0)
		return fd;
	/* For a thread that leads no group, pidfd_open(2) fails with EINVAL, on newer kernels with ENOENT. */
	return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
}

static int probe_pidfs(void)
{
	_cleanup_close_ int fd = open_pidfd(getpid());
	struct statfs st;

	if (fd < 0)
		return fd;
	if (fstatfs(fd, &st) < 0)
		return -errno;
	return st.f_type == MAGIC_OF_PIDFS;
}

/* Tells whether each pidfd has an inode number of its own: 1, 0, or -errno. */
static int has_pidfs(void)
{
	static struct kvfs_once once = KVFS_ONCE_INIT;

	return kvfs_once(&once, probe_pidfs);
}

/* Tells whether the process still has its number, which it has until its parent has waited for it. */
static bool has_number(int pidfd)
{
	return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0 || errno != ESRCH;
}

int kvfs_process_parse_start(const char *stat, uint64_t *ticks)
{
	const char *end = stat + strlen(stat), *p = strrchr(stat, ')');

	/* The name is field 2; each space starts the next field. */
	for (int field = 2; p && field < 22; field++) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	if (!p || kvfs_number_take(&p, end, 10, UINT64_MAX, ticks) < 0)
		return -EINVAL;
	return *p == ' ' || *p == '\n' ? 0 : -EINVAL;
}

static int load_start(pid_t pid, uint64_t *ticks)
{
	_cleanup_free_ char *text = NULL;
	char path[32];
	size_t len;
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	ret = kvfs_io_read_file(path, STAT_MAX, &text, &len);
	if (ret < 0)
		return ret == -ENOENT ? -ESRCH : ret;
	return kvfs_process_parse_start(text, ticks);
}

/* As kvfs_process_identify(). *pidfd is a pidfd of the process for the caller to close. */
static int identify(pid_t pid, struct kvfs_process_id *out, int *pidfd)
{
	_cleanup_close_ int fd = pid > 0 ? open_pidfd(pid) : -ESRCH;
	uint64_t serial;
	int ret;

	if (fd < 0)
		return fd;
	ret = has_pidfs();
	if (ret < 0)
		return ret;
	if (ret) {
		struct stat st;

		if (fstat(fd, &st))
			return -errno;
		serial = st.st_ino;
	} else {
		ret = load_start(pid, &serial);
		if (ret < 0)
			return ret;
		if (!has_number(fd))	/* the line may be that of a later process with the number */
			return -ESRCH;
		serial = (uint64_t)pid << TICK_BITS | (serial & ((UINT64_C(1) << TICK_BITS) - 1));
	}
	out->pid = pid;
	out->serial = serial & ((UINT64_C(1) << KVFS_PROCESS_SERIAL_BITS) - 1);
	*pidfd = kvfs_steal_fd(&fd);
	return 0;
}

int kvfs_process_identify(pid_t pid, struct kvfs_process_id *out)
{
	_cleanup_close_ int pidfd = -1;

	return identify(pid, out, &pidfd);
}

int kvfs_process_open(const struct kvfs_process_id *id)
{
	_cleanup_close_ int pidfd = -1, dir = -1;
	struct kvfs_process_id now;
	char path[32];
	int ret;

	ret = identify(id->pid, &now, &pidfd);
	if (ret < 0)
		return ret == -ESRCH ? -ENOENT : ret;
	if (now.serial != id->serial)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%d", id->pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	/* The process had the number before and after open(2), so the directory is its own. */
	return has_number(pidfd) ? kvfs_steal_fd(&dir) : -ENOENT;
}

int kvfs_process_openat(int procdir, const char *name, int flags)
{
	int fd = openat(procdir, name, flags | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	return errno == ENOENT ? -ESRCH : -errno;
}

pid_t kvfs_process_tgid(pid_t tid)
{
	_cleanup_free_ char *text = NULL;
	const char *line, *p;
	char path[32];
	uint64_t tgid;
	size_t len;
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	ret = kvfs_io_read_file(path, STATUS_MAX, &text, &len);
	if (ret < 0)
		return ret == -ENOENT ? -ESRCH : ret;
	line = strstr(text, TGID_KEY);
	if (!line)
		return -EINVAL;
	p = line + strlen(TGID_KEY);
	ret = kvfs_number_take_until(&p, text + len, 10, '\n', PID_LIMIT, &tgid);
	return ret < 0 ? ret : (pid_t)tgid;
}

pid_t kvfs_process_parse_pid(const char *name)
{
	uint64_t pid;

	if (kvfs_number_parse_name(name, "", PID_LIMIT - 1, &pid) < 0 || pid == 0)
		return -ENOENT;
	return (pid_t)pid;
}

ssize_t kvfs_process_list(uint64_t cookie, struct kvfs_process_entry *v, size_t max)
{
	_cleanup_close_ int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(struct dirent64) char buf[DENTS_LEN];
	/* Finding a process is slow in the kernel: ask for no more of them than v has room for. */
	size_t n = 0, size = max < KVFS_PROCESS_LIST ? max * DENT_MIN : sizeof(buf);

	if (fd < 0)
		return -errno;
	if (lseek(fd, (off_t)cookie, SEEK_SET) < 0)
		return -errno;
	/* /proc also has longer names that are no processes. */
	if (size < DENTS_MIN)
		size = DENTS_MIN;
	while (n == 0 && max) {
		ssize_t len = syscall(SYS_getdents64, fd, buf, size);

		if (len < 0)
			return -errno;
		if (len == 0)
			break;
		for (ssize_t at = 0; at < len && n < max;) {
			struct dirent64 *d = (struct dirent64 *)(buf + at);

			at += d->d_reclen;
			if (kvfs_process_parse_pid(d->d_name) < 0)
				continue;
			/* A pid has seven digits at most. */
			strcpy(v[n].name, d->d_name);
			v[n++].next = (uint64_t)d->d_off;
		}
	}
	return (ssize_t)n;
}
