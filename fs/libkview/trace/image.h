/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A copy of a ring that is made as it is looked at: what mode copy maps. The first look after a
 * refresh chooses the moment. A sub-buffer is copied when it is looked at first, as it was at
 * that moment, or left out if it was overwritten since. The counters in the meta page are
 * those of the mapping. No locking: the caller's lock protects an image.
 */
#ifndef KVFS_TRACE_IMAGE_H
#define KVFS_TRACE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "trace/ring.h"

struct kvfs_image;

/* Borrows `mapped`, a ring with the geometry of meta, for the life of the image. -ENOMEM. */
int kvfs_image_create(const void *mapped, const struct kvfs_ring_meta *meta,
		      struct kvfs_image **out);
/* NULL is allowed. */
void kvfs_image_destroy(struct kvfs_image *image);

/* Has the next look choose a new moment. */
void kvfs_image_refresh(struct kvfs_image *image);

/*
 * Copies bytes [off, off + len) of the image into buf. Returns their number, less than len only
 * at the end, 0 past it.
 */
size_t kvfs_image_read(struct kvfs_image *image, void *buf, size_t len, uint64_t off);

#endif /* KVFS_TRACE_IMAGE_H */
