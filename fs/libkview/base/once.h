/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A question about the kernel that is answered once in the life of the process, by the first
 * attempt that does not fail. Unlike with pthread_once(3), a shortage of descriptors or memory
 * during the first attempt does not become the answer.
 */
#ifndef KVFS_BASE_ONCE_H
#define KVFS_BASE_ONCE_H

#include <pthread.h>

struct kvfs_once {
	pthread_mutex_t lock;		/* held by the thread that finds the answer */
	_Atomic(int) answer;		/* negative: not known yet */
};

#define KVFS_ONCE_INIT { PTHREAD_MUTEX_INITIALIZER, -1 }

/*
 * Returns the answer, which is 0 or more, and finds it first with probe() if it is not known. If
 * probe() fails with -errno, this call returns that and the next call tries again. Any number of
 * threads may call this; one of them runs probe().
 */
int kvfs_once(struct kvfs_once *once, int (*probe)(void));

#endif /* KVFS_BASE_ONCE_H */
