/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Admission of requests, so that a source that hangs takes a bounded number of threads and
 * holds up only requests for itself. Each provider of the tree has two lanes: one for requests
 * for data (READ, LSEEK, IOCTL), which wait for the source, and one for all others.
 * A lane has a limit, and within it each file (in pid/: each process) has one. Beyond the lane's
 * limit a file that has no request in process may still have one, so that files which hang do not
 * hold up the rest. A request that no limit allows is parked as a copy; the thread that ends a
 * request of the lane goes on with the first parked request that the limits allow.
 *
 * FORGET, BATCH_FORGET, INTERRUPT, INIT and DESTROY are never parked.
 */
#ifndef KVFS_FUSE_LANES_H
#define KVFS_FUSE_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* Requests in process of a lane, of one file in it, and of a lane in which each is its file's only one. */
#define KVFS_LANES_MAX_DATA 128
#define KVFS_LANES_MAX_OTHER 32
#define KVFS_LANES_MAX_FILE 16
#define KVFS_LANES_MAX_ALONE 512

struct kvfs_lanes;		/* opaque; any number of threads may use it */

/* A place that an admitted request takes. */
struct kvfs_lanes_ticket {
	uint64_t key;		/* the file */
	int lane;		/* -1: a request that is never parked */
};

/* A request as the kernel sent it; free(3) frees it. */
struct kvfs_lanes_parked {
	struct kvfs_list link;
	struct kvfs_lanes_ticket ticket;
	size_t len;		/* bytes of request[] */
	_Alignas(8) unsigned char request[];
};

/* Returns NULL if out of memory. */
struct kvfs_lanes *kvfs_lanes_create(void);

/* Frees parked requests, too, which get no answer. NULL is allowed. */
void kvfs_lanes_destroy(struct kvfs_lanes *lanes);

/* Tells whether a request, len bytes, is one of those that are never parked and never block. */
bool kvfs_lanes_bypass(const void *request, size_t len);

/*
 * Returns true if a request, len bytes, is admitted: *ticket goes back with kvfs_lanes_end().
 * Returns false if a copy of it was parked. Out of memory admits it beyond the limit.
 */
bool kvfs_lanes_begin(struct kvfs_lanes *lanes, const void *request, size_t len,
		      struct kvfs_lanes_ticket *ticket);

/*
 * The end of an admitted request. Returns NULL, or a parked request that is admitted in its
 * place: the caller processes it, calls this function with its ticket, and frees it.
 */
struct kvfs_lanes_parked *kvfs_lanes_end(struct kvfs_lanes *lanes, const struct kvfs_lanes_ticket *ticket);

/*
 * For an INTERRUPT request, len bytes: takes the request that it is for out of the lane if that is
 * parked. Returns its unique number, by which the caller answers it, or 0 if none was parked.
 */
uint64_t kvfs_lanes_interrupt(struct kvfs_lanes *lanes, const void *request, size_t len);

#endif /* KVFS_FUSE_LANES_H */
