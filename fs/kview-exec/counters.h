/* SPDX-License-Identifier: GPL-2.0-only */
/* How reads of /proc/kcore were answered: what kview-exec --stats prints at the end. */
#ifndef KVFS_KVIEW_EXEC_COUNTERS_H
#define KVFS_KVIEW_EXEC_COUNTERS_H

#include <stdint.h>

/* Set by kview-exec for the program that it runs. Absolute path of the mount. */
#define KVFS_EXEC_ENV_MOUNT "KVIEW_EXEC_MOUNT"
/* CLOCK_MONOTONIC at the start, nanoseconds; set only with --stats. */
#define KVFS_EXEC_ENV_STATS "KVIEW_EXEC_STATS"

struct kvfs_counters {
	uint64_t mapped;	/* pieces copied from mapped RAM or the mapped image */
	uint64_t walked;	/* the same, found by the kernel's page tables */
	uint64_t kernel;	/* preads of /proc/kcore */
};

extern struct kvfs_counters kvfs_counters;

/* Any thread may count; the sum is exact. */
static inline void kvfs_count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

#endif /* KVFS_KVIEW_EXEC_COUNTERS_H */
