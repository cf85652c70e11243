/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One piece of work, of which the parts are independent, on several CPUs at once: for a
 * request that keeps a CPU busy for milliseconds while others may be idle.
 */
#ifndef KVFS_BASE_PARALLEL_H
#define KVFS_BASE_PARALLEL_H

#include <stddef.h>

/* Does the items [first, first + n) of a job. Returns 0 or -errno. */
typedef int kvfs_parallel_fn(void *job, size_t first, size_t n);

/*
 * Has fn do [0, n) in contiguous parts, each once, and returns when all are done. A part is at
 * least `grain` (1 or more) items, unless n is less. There are at most as many parts as the daemon may use CPUs,
 * and all calls together never have more threads of their own than that: with many callers,
 * or where a thread cannot be made, the caller does what is left itself. n may be 0: one call
 * with none. Returns 0, or what the first part in order that failed returned.
 */
int kvfs_parallel(size_t n, size_t grain, kvfs_parallel_fn *fn, void *job);

#endif /* KVFS_BASE_PARALLEL_H */
