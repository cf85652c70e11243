/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An extent is a run of a view, [off, off + len), and the source of its bytes. A table of extents
 * is the whole content of a view; gaps between them are holes, which read as zeros. Pure: no I/O.
 */
#ifndef KVFS_EXTENT_EXTENT_H
#define KVFS_EXTENT_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kvfs_extent_kind {
	KVFS_EXTENT_RAM,	/* System RAM: the module can show it, and a file may have a copy */
	KVFS_EXTENT_BLOB,	/* bytes the daemon made, such as ELF headers */
	KVFS_EXTENT_FILE,	/* bytes of a file; their physical address is unknown */
};

/* file_off of RAM that no file has a copy of: only the module can show it. */
#define KVFS_NO_FILE_OFF UINT64_MAX

struct kvfs_extent {
	uint64_t off;		/* of the first byte in the view */
	uint64_t len;		/* bytes, never 0 */
	enum kvfs_extent_kind kind;
	uint64_t paddr;		/* RAM: physical address of the first byte */
	uint64_t vaddr;		/* RAM: address in the kernel image mapping, 0 if in the direct map alone */
	uint64_t file_off;	/* RAM, FILE: of the first byte in the source file (/proc/kcore) */
	const void *blob;	/* BLOB: borrowed; must outlive the table */
};

/* Sorted by off, not overlapping, inside [0, size). Zero-initialised: empty, size 0. */
struct kvfs_extents {
	struct kvfs_extent *v;
	size_t n;
	size_t cap;
	uint64_t size;		/* of the view in bytes; at least the end of the last extent */
};

/* Frees the table's memory and leaves it empty. NULL is allowed. */
void kvfs_extents_deinit(struct kvfs_extents *t);

/*
 * Adds an extent after the last one and grows size if needed. Returns 0, -ENOMEM, -EINVAL if the
 * extent is empty, out of order or overlaps the last one, or -EOVERFLOW if its end in the view, in
 * the source file or in physical memory does not fit into 63 bits (loff_t), or its end in virtual
 * memory into 64. On failure the table is unchanged.
 */
int kvfs_extents_add(struct kvfs_extents *t, const struct kvfs_extent *e);

/* Returns the index of the first extent that ends beyond off (it contains off or follows it), or n. */
size_t kvfs_extents_find(const struct kvfs_extents *t, uint64_t off);

/* Returns the number of bytes that extents cover: what st_blocks counts. */
uint64_t kvfs_extents_data_len(const struct kvfs_extents *t);

/*
 * lseek(2) with SEEK_DATA and SEEK_HOLE. Adjacent extents count as one run of data; the
 * end of the view is a hole. Returns 0 and *out, or -ENXIO at or past size, or for
 * SEEK_DATA with no data left; -EINVAL for any other whence.
 */
int kvfs_extents_seek(const struct kvfs_extents *t, uint64_t off, int whence, uint64_t *out);

/* One piece of a read: a part of an extent, and its place in the buffer. */
struct kvfs_extent_piece {
	const struct kvfs_extent *extent;	/* NULL: a hole, zeros */
	uint64_t extent_off;			/* offset in the extent; 0 for a hole */
	size_t buf_off;				/* offset in the buffer */
	size_t len;				/* bytes, never 0 */
};

/*
 * Cuts [off, off + len), clamped at size, into at most max pieces in ascending order. *covered is
 * the number of bytes that they cover; the caller goes on at off + *covered. Returns the number of
 * pieces; 0 at or past the end.
 */
size_t kvfs_extents_cut(const struct kvfs_extents *t, uint64_t off, size_t len,
			struct kvfs_extent_piece *pieces, size_t max, size_t *covered);

#endif /* KVFS_EXTENT_EXTENT_H */
