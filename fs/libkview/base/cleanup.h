/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Variables that release what they own at the end of their scope, unless kvfs_steal_*() has taken
 * it out. Not for functions that also clean up with goto.
 */
#ifndef KVFS_BASE_CLEANUP_H
#define KVFS_BASE_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* close(2) that keeps errno and ignores a negative descriptor. */
static inline void kvfs_cleanup_closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

/* p is the address of a pointer of any type, which is copied, since it is no void * itself. */
static inline void kvfs_cleanup_freep(void *p)
{
	void *mem;

	memcpy(&mem, p, sizeof(mem));
	free(mem);
}

static inline void kvfs_cleanup_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_close_ __attribute__((cleanup(kvfs_cleanup_closep)))
#define _cleanup_free_ __attribute__((cleanup(kvfs_cleanup_freep)))
#define _cleanup_fclose_ __attribute__((cleanup(kvfs_cleanup_fclosep)))

/* Takes the descriptor out of a _cleanup_close_ variable, for the caller to close. */
static inline int kvfs_steal_fd(int *fd)
{
	int ret = *fd;

	*fd = -1;
	return ret;
}

/* Takes the pointer out of a _cleanup_free_ variable, for the caller to free. */
#define kvfs_steal_ptr(p) \
	({ __typeof__(p) steal_ret_ = (p); (p) = NULL; steal_ret_; })

#endif /* KVFS_BASE_CLEANUP_H */
