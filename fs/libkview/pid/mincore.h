/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What mincore(2) would tell a process of its own pages, asked from outside, and why it is
 * so: one byte a page.
 */
#ifndef KVFS_PID_MINCORE_H
#define KVFS_PID_MINCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/pool.h"
#include "pid/mincore_bits.h"

struct kvfs_mincore_config {
	struct kvfs_pool *pool;	/* for long reads, borrowed; NULL: the caller does all */
	/* For tests; the daemon leaves both false. */
	bool parse_maps;	/* no PROCMAP_QUERY */
	bool no_scan;		/* no PAGEMAP_SCAN */
};

struct kvfs_mincore;		/* opaque; any number of threads may use it */

/* Returns 0 and an object to be destroyed, or -errno and what is missing. */
int kvfs_mincore_create(const struct kvfs_mincore_config *config, struct kvfs_mincore **out,
			struct kvfs_err *err);
void kvfs_mincore_destroy(struct kvfs_mincore *res);	/* NULL is allowed */

/*
 * Whether it can be seen which anonymous pages in swap are in the swap cache too (swapcache.h).
 * If not, *reason says why; it is borrowed and lives as long as res.
 */
bool kvfs_mincore_sees_swap_cache(const struct kvfs_mincore *res, const char **reason);

/*
 * Fills vec with the bytes of n pages, the first being that with number index (address / page
 * size). procdir: the process (procfs.h), borrowed. Returns 0, -ESRCH if it has gone or has
 * no address space, or -errno; vec is unspecified then. Pages are judged one mapping after the
 * other, many of them on several CPUs at a time, so what changes meanwhile may show half.
 */
int kvfs_mincore_load(struct kvfs_mincore *res, int procdir, uint64_t index, uint8_t *vec,
		      size_t n);

/* Whether a text of /proc/swaps lists any swap area. Pure. */
bool kvfs_mincore_has_swap(const char *swaps);

#endif /* KVFS_PID_MINCORE_H */
