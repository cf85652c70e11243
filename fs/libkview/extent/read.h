/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a view by its extent table: zeros for holes, copies of blobs, and everything else from the
 * source file in batches (uring.h).
 */
#ifndef KVFS_EXTENT_READ_H
#define KVFS_EXTENT_READ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "extent/extent.h"
#include "extent/fdpool.h"

/*
 * Reads [off, off + len) of the view into buf. pool has the source file of RAM and FILE extents, and
 * may be NULL if the table has neither. Returns the bytes read, less than len only at the end of
 * the view or before a byte that cannot be read; 0 at or past the end; -errno if the first byte
 * cannot be read: that of read(2), or -ENXIO if the source file ends before the extent does or has
 * no copy of it.
 */
ssize_t kvfs_extents_read(const struct kvfs_extents *t, struct kvfs_fdpool *pool,
			  void *buf, size_t len, uint64_t off);

#endif /* KVFS_EXTENT_READ_H */
