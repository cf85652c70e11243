/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One piece of work, of which the parts are independent, on several CPUs at once: for a
 * request that keeps a CPU busy for milliseconds while others may be idle.
 */
#ifndef KVFS_BASE_PARALLEL_H
#define KVFS_BASE_PARALLEL_H

#include <stddef.h>

#include "base/pool.h"

/* Does the items [first, first + n) of a job. Returns 0 or -errno. */
typedef int kvfs_parallel_fn(void *job, size_t first, size_t n);

/*
 * Has fn do [0, n) in contiguous parts, each once, and returns when all are done. A part is at
 * least `grain` (1 or more) items, unless n is less. There are at most as many parts as the
 * process may use CPUs, and all callers together use fewer threads of the pool than that.
 *
 * The caller takes parts too, and all that no other thread has begun: it never waits for a
 * thread to start. With pool NULL it does the whole work. n may be 0: one call with none.
 * Returns 0, or what the first part in order that failed returned.
 */
int kvfs_parallel(struct kvfs_pool *pool, size_t n, size_t grain, kvfs_parallel_fn *fn, void *job);

#endif /* KVFS_BASE_PARALLEL_H */
