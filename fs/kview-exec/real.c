// SPDX-License-Identifier: GPL-2.0-only
#include "kview-exec/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's own result; errno is the tool's, and stays as it is. */
static long raw(long nr, long a, long b, long c, long d)
{
	int saved = errno;
	long ret = syscall(nr, a, b, c, d);

	if (ret < 0)
		ret = -errno;
	errno = saved;
	return ret;
}

void *kvfs_real_find(const char *name)
{
	void *fn = dlsym(RTLD_NEXT, name);

	if (!fn)
		abort();
	return fn;
}

long kvfs_real_open(const char *path, int flags)
{
	return raw(SYS_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC, 0);
}

long kvfs_real_close(int fd)
{
	return raw(SYS_close, fd, 0, 0, 0);
}

long kvfs_real_pread(int fd, void *buf, size_t len, uint64_t off)
{
	return raw(SYS_pread64, fd, (long)buf, (long)len, (long)off);
}

long kvfs_real_lseek(int fd, int64_t off, int whence)
{
	return raw(SYS_lseek, fd, off, whence, 0);
}

long kvfs_real_fcntl(int fd, int cmd, long arg)
{
	return raw(SYS_fcntl, fd, cmd, arg, 0);
}
