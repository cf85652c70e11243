// SPDX-License-Identifier: GPL-2.0-only
/*
 * To be preloaded: FUSE takes no backing files, as before Linux 6.9.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* FUSE_DEV_IOC_BACKING_OPEN, which older headers do not have: the number and the type. */
#define BACKING_OPEN_NR 1
#define FUSE_TYPE 229

int ioctl(int fd, unsigned long request, ...)
{
	void *arg;
	va_list args;

	if (_IOC_TYPE(request) == FUSE_TYPE && _IOC_NR(request) == BACKING_OPEN_NR) {
		errno = EPERM;
		return -1;
	}
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	return (int)syscall(SYS_ioctl, fd, request, arg);
}
