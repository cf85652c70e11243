// SPDX-License-Identifier: GPL-2.0-only
/*
 * A library to preload: FUSE refuses backing files, as before Linux 6.9.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Number and type of FUSE_DEV_IOC_BACKING_OPEN, which older headers lack. */
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
