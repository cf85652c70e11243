// SPDX-License-Identifier: GPL-2.0-only
#include "failpread.h"

#include <errno.h>

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off);
ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t off);

static uint64_t bad_off;
static int bad_errnum;

void failpread_at(uint64_t off, int errnum)
{
	bad_off = off;
	bad_errnum = errnum;
}

void failpread_off(void)
{
	bad_errnum = 0;
}

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off)
{
	if (bad_errnum && (uint64_t)off == bad_off) {
		errno = bad_errnum;
		return -1;
	}
	if (bad_errnum && (uint64_t)off < bad_off && len > bad_off - (uint64_t)off)
		len = (size_t)(bad_off - (uint64_t)off);
	return __real_pread(fd, buf, len, off);
}

ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t off)
{
	return __wrap_pread(fd, buf, len, off);
}
