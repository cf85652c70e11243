// SPDX-License-Identifier: GPL-2.0-only
/*
 * A library to preload: files of tracefs cannot be mapped, as before Linux 6.10.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define TRACEFS_MAGIC 0x74726163

/* With 64-bit offsets <sys/mman.h> redirects mmap() to this one. */
void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off64_t off)
{
	struct statfs fs;

	if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == TRACEFS_MAGIC) {
		errno = ENODEV;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, off);
}
