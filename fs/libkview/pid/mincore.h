/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes of pid/N/mincore: what mincore(2) reports to a process of its own pages, found out from
 * another process, and for each page why (mincore_bits.h).
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

/* Returns 0 and an object to be destroyed, or -errno and a message that names what is missing. */
int kvfs_mincore_create(const struct kvfs_mincore_config *config, struct kvfs_mincore **out,
			struct kvfs_err *err);
void kvfs_mincore_destroy(struct kvfs_mincore *mincore);	/* NULL is allowed */

/*
 * Tells whether the daemon can see which anonymous pages in swap are in the swap cache (swapcache.h).
 * If not, *reason says why; it is borrowed and lives as long as mincore.
 */
bool kvfs_mincore_sees_swap_cache(const struct kvfs_mincore *mincore, const char **reason);

/*
 * Fills vec with the bytes of n pages from page number index (virtual address / page size) on.
 * procdir (process.h) is borrowed. Returns 0, -ESRCH if the process has gone or has no address
 * space, or -errno; vec is unspecified then. Mappings are judged one after the other, and large
 * requests on several CPUs, so vec is not a snapshot of one moment.
 */
int kvfs_mincore_load(struct kvfs_mincore *mincore, int procdir, uint64_t index, uint8_t *vec,
		      size_t n);

/* Tells whether a text of /proc/swaps, or its beginning, lists a swap area. Pure. */
bool kvfs_mincore_has_swap(const char *swaps);

#endif /* KVFS_PID_MINCORE_H */
