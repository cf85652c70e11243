// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions of libc that tools reach /proc/kcore by, except for streams (streams.c). Each
 * is libc's own for any other file. A function that may change what a descriptor stands for
 * makes it unknown before and after: before, because the number can be reused at once.
 *
 * Callers reach the same function by several names: with _FILE_OFFSET_BITS, with
 * _FORTIFY_SOURCE, and from inside libc's own libraries (__read).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kview-exec/fds.h"
#include "kview-exec/memory.h"
#include "kview-exec/real.h"

#define EXPORT __attribute__((visibility("default")))
#define ALIAS(of) __attribute__((visibility("default"), alias(#of), copy(of)))

/* A result of the kernel's kind as libc's callers know it. */
static ssize_t result(ssize_t ret)
{
	if (ret >= 0)
		return ret;
	errno = (int)-ret;
	return -1;
}

/* Reading. */

EXPORT ssize_t pread64(int fd, void *buf, size_t len, off64_t off)
{
	if (off < 0 || !kvfs_fds_is_kcore(fd))
		return REAL(pread64)(fd, buf, len, off);
	return result(kvfs_memory_pread(fd, buf, len, (uint64_t)off));
}
ALIAS(pread64) ssize_t pread(int fd, void *buf, size_t len, off_t off);
ALIAS(pread64) ssize_t __pread64(int fd, void *buf, size_t len, off64_t off);

EXPORT ssize_t read(int fd, void *buf, size_t len)
{
	if (len > SSIZE_MAX || !kvfs_fds_is_kcore(fd))
		return REAL(read)(fd, buf, len);
	return result(kvfs_fds_read(fd, buf, len));
}
ALIAS(read) ssize_t __read(int fd, void *buf, size_t len);

/* The checks of _FORTIFY_SOURCE are libc's, and end the program as libc does. */
ssize_t __read_chk(int fd, void *buf, size_t len, size_t buf_len);
ssize_t __pread64_chk(int fd, void *buf, size_t len, off64_t off, size_t buf_len);
ssize_t __pread_chk(int fd, void *buf, size_t len, off_t off, size_t buf_len);

EXPORT ssize_t __read_chk(int fd, void *buf, size_t len, size_t buf_len)
{
	if (len > buf_len)
		return REAL(__read_chk)(fd, buf, len, buf_len);
	return read(fd, buf, len);
}

EXPORT ssize_t __pread64_chk(int fd, void *buf, size_t len, off64_t off, size_t buf_len)
{
	if (len > buf_len)
		return REAL(__pread64_chk)(fd, buf, len, off, buf_len);
	return pread64(fd, buf, len, off);
}
ALIAS(__pread64_chk)
ssize_t __pread_chk(int fd, void *buf, size_t len, off_t off, size_t buf_len);

/* As vfs_iter_read() goes through a vector: to the first that comes up short. */
static ssize_t read_vector(int fd, const struct iovec *iov, int n, bool positioned, uint64_t off)
{
	ssize_t done = 0;

	for (int i = 0; i < n; i++) {
		ssize_t got;

		if (iov[i].iov_len == 0)
			continue;
		got = positioned ? kvfs_memory_pread(fd, iov[i].iov_base, iov[i].iov_len, off + (uint64_t)done) :
				   kvfs_fds_read(fd, iov[i].iov_base, iov[i].iov_len);
		if (got < 0)
			return done ? done : got;
		done += got;
		if ((size_t)got < iov[i].iov_len)
			break;
	}
	return done;
}

/*
 * What the kernel refuses, it is left to refuse: a vector from pos on that would end beyond the
 * last position (rw_verify_area()), among others.
 */
static bool is_plain_vector(const struct iovec *iov, int n, int64_t pos)
{
	int64_t end = pos;

	if (n < 0 || n > IOV_MAX || pos < 0)
		return false;
	for (int i = 0; i < n; i++)
		if (iov[i].iov_len > SSIZE_MAX || __builtin_add_overflow(end, iov[i].iov_len, &end))
			return false;
	return true;
}

EXPORT ssize_t readv(int fd, const struct iovec *iov, int n)
{
	if (!kvfs_fds_is_kcore(fd))
		return REAL(readv)(fd, iov, n);
	if (!is_plain_vector(iov, n, kvfs_fds_lseek(fd, 0, SEEK_CUR))) {
		kvfs_fds_share(fd);
		return REAL(readv)(fd, iov, n);
	}
	return result(read_vector(fd, iov, n, false, 0));
}

EXPORT ssize_t preadv64(int fd, const struct iovec *iov, int n, off64_t off)
{
	if (!kvfs_fds_is_kcore(fd) || !is_plain_vector(iov, n, off))
		return REAL(preadv64)(fd, iov, n, off);
	return result(read_vector(fd, iov, n, true, (uint64_t)off));
}
ALIAS(preadv64) ssize_t preadv(int fd, const struct iovec *iov, int n, off_t off);

/* Flags, and reads at the file position, are left to the kernel. */
EXPORT ssize_t preadv64v2(int fd, const struct iovec *iov, int n, off64_t off, int flags)
{
	if (flags || !kvfs_fds_is_kcore(fd) || !is_plain_vector(iov, n, off)) {
		kvfs_fds_share(fd);
		return REAL(preadv64v2)(fd, iov, n, off, flags);
	}
	return result(read_vector(fd, iov, n, true, (uint64_t)off));
}
ALIAS(preadv64v2) ssize_t preadv2(int fd, const struct iovec *iov, int n, off_t off, int flags);

EXPORT off64_t lseek64(int fd, off64_t off, int whence)
{
	if (!kvfs_fds_is_kcore(fd))
		return REAL(lseek64)(fd, off, whence);
	return result(kvfs_fds_lseek(fd, off, whence));
}
ALIAS(lseek64) off_t lseek(int fd, off_t off, int whence);
ALIAS(lseek64) off_t __lseek(int fd, off_t off, int whence);

/* Opening. */

static int opened(int fd)
{
	if (fd >= 0)
		kvfs_fds_opened(fd);
	return fd;
}

/* Whether open(2) takes a mode. */
static bool takes_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

static mode_t mode_of(int flags, va_list ap)
{
	return takes_mode(flags) ? va_arg(ap, mode_t) : 0;
}

EXPORT int open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return opened(REAL(open64)(path, flags, mode));
}

EXPORT int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return opened(REAL(open)(path, flags, mode));
}

EXPORT int openat64(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return opened(REAL(openat64)(dir, path, flags, mode));
}

EXPORT int openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return opened(REAL(openat)(dir, path, flags, mode));
}

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

EXPORT int __open_2(const char *path, int flags)
{
	return opened(REAL(__open_2)(path, flags));
}

EXPORT int __open64_2(const char *path, int flags)
{
	return opened(REAL(__open64_2)(path, flags));
}

EXPORT int __openat_2(int dir, const char *path, int flags)
{
	return opened(REAL(__openat_2)(dir, path, flags));
}

EXPORT int __openat64_2(int dir, const char *path, int flags)
{
	return opened(REAL(__openat64_2)(dir, path, flags));
}

/* Closing and copying of descriptors. */

EXPORT int close(int fd)
{
	kvfs_fds_forget(fd);
	return REAL(close)(fd);
}
ALIAS(close) int __close(int fd);

EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
	/* CLOSE_RANGE_CLOEXEC closes nothing yet: to forget is right all the same. */
	kvfs_fds_forget_range(first, last);
	return REAL(close_range)(first, last, flags);
}

EXPORT void closefrom(int first)
{
	kvfs_fds_forget_range(first < 0 ? 0 : (unsigned int)first, UINT_MAX);
	REAL(closefrom)(first);
}

/* The copy shares the position with the descriptor that it is of. */
static int copied(int from, int to)
{
	kvfs_fds_share(from);
	if (to >= 0)
		kvfs_fds_forget(to);
	return to;
}

EXPORT int dup(int fd)
{
	kvfs_fds_share(fd);
	return copied(fd, REAL(dup)(fd));
}

EXPORT int dup2(int fd, int to)
{
	kvfs_fds_share(fd);
	if (to != fd)
		kvfs_fds_forget(to);
	return copied(fd, REAL(dup2)(fd, to));
}
ALIAS(dup2) int __dup2(int fd, int to);

EXPORT int dup3(int fd, int to, int flags)
{
	kvfs_fds_share(fd);
	if (to != fd)
		kvfs_fds_forget(to);
	return copied(fd, REAL(dup3)(fd, to, flags));
}

static int control(int fd, int cmd, void *arg)
{
	int ret;

	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
		kvfs_fds_share(fd);
	ret = REAL(fcntl64)(fd, cmd, arg);
	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
		copied(fd, ret);
	return ret;
}

/* Every command takes one argument of a word, or none. */
EXPORT int fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return control(fd, cmd, arg);
}

EXPORT int fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return control(fd, cmd, arg);
}
