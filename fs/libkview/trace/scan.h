/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads parts of a trace ring that the kernel writes meanwhile (trace/ring.h has the layout).
 * snapshot and image make copies of a ring with these functions.
 *
 * User space cannot lock the ring, and need not. The kernel appends to one sub-buffer at a time
 * and never changes data below its commit word. To use a sub-buffer again it sets that word to
 * 0, then writes the new time stamp, the data and the word. It finishes a sub-buffer before the
 * first commit to the next one (rb_tail_page_update() and rb_set_commit_to_write() of
 * kernel/trace/ring_buffer.c, 6.12). So the header shows whether a copy is whole, and all
 * sub-buffers older than the newest one with data are final.
 *
 * In all functions `mapped` is a mapping of the ring, and meta its geometry, which cannot change while
 * the ring is mapped. Nothing is consumed.
 */
#ifndef KVFS_TRACE_SCAN_H
#define KVFS_TRACE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/ring.h"

/* Attempts at what fails only because the writer was faster. */
#define KVFS_SCAN_ATTEMPTS 16

/* A sub-buffer with data, as its header was when it was seen. */
struct kvfs_scan_subbuf {
	uint32_t id;
	struct kvfs_ring_hdr hdr;
};

/*
 * Lists all sub-buffers with data, newest first, as they were when the newest one was seen.
 * out: room for meta->nr_subbufs. Returns their number.
 */
size_t kvfs_scan(const uint8_t *mapped, const struct kvfs_ring_meta *meta,
		 struct kvfs_scan_subbuf *out);

/*
 * Copies the sub-buffer of `size` bytes at `mapped`, as hdr says it was, to `copy` of the same
 * size; bytes after the committed data are left alone. growing: it is the newest one, to which
 * more may be committed meanwhile. Returns false, with copy all zero, if it was overwritten.
 */
bool kvfs_scan_copy(const uint8_t *mapped, uint32_t size, struct kvfs_ring_hdr hdr, bool growing,
		    uint8_t *copy);

/*
 * Copies the meta data (not the rest of the page) with the counters and the reader as they are
 * now and the geometry of meta.
 */
void kvfs_scan_copy_meta(const uint8_t *mapped, const struct kvfs_ring_meta *meta, uint8_t *copy);

#endif /* KVFS_TRACE_SCAN_H */
