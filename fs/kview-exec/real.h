/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libc's own functions, which this library replaces. Each is looked
 * up at its first use: dlsym(3) allocates, so a program that never touches /proc/kcore through
 * a function does not pay for it, and none is looked up from a constructor.
 */
#ifndef KVFS_KVIEW_EXEC_REAL_H
#define KVFS_KVIEW_EXEC_REAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The next definition of name after this library's, or abort(3): libc always has it. */
void *kvfs_real_find(const char *name);

/*
 * Defines `REAL(fn)`, a pointer to libc's fn with the type of fn's own declaration. The look-up
 * may run twice when two threads come at once; both find the same.
 */
#define REAL(fn)                                                                             \
	({                                                                                   \
		static __typeof__(&fn) real_;                                                \
		__typeof__(&fn) found_ = __atomic_load_n(&real_, __ATOMIC_RELAXED);          \
		if (__builtin_expect(!found_, 0)) {                                          \
			found_ = (__typeof__(&fn))kvfs_real_find(#fn);                       \
			__atomic_store_n(&real_, found_, __ATOMIC_RELAXED);                  \
		}                                                                            \
		found_;                                                                      \
	})

/*
 * System calls without libc's wrappers, which this library stands in front of. Results are
 * those of the kernel: a count or descriptor, or -errno. errno stays as it is.
 */
long kvfs_real_open(const char *path, int flags);
long kvfs_real_close(int fd);
long kvfs_real_pread(int fd, void *buf, size_t len, uint64_t off);
long kvfs_real_lseek(int fd, int64_t off, int whence);
long kvfs_real_fcntl(int fd, int cmd, long arg);

#endif /* KVFS_KVIEW_EXEC_REAL_H */
