/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that zstd compressed. libkdumpfile reads them, too, but makes a new context for each page
 * and searches lists for it, which costs as much again as decompressing. zstd.c is the only file
 * that includes libzstd; a build without it has zstd_none.c in its place.
 */
#ifndef KVFS_DUMP_ZSTD_H
#define KVFS_DUMP_ZSTD_H

#include <stddef.h>

struct kvfs_zstd;		/* opaque; any number of threads may use it */

/* *out is NULL in a build without libzstd, which is no error. Returns 0 or -ENOMEM. */
int kvfs_zstd_create(struct kvfs_zstd **out);

/* No thread may be using it. NULL is allowed. */
void kvfs_zstd_destroy(struct kvfs_zstd *z);

/*
 * Decompresses [src, src + len) to exactly page_len bytes. Returns 0, -EBADMSG if it is no such
 * page, or -ENOMEM. On failure dst may be written in part.
 */
int kvfs_zstd_decompress(struct kvfs_zstd *z, const void *src, size_t len, void *dst, size_t page_len);

#endif /* KVFS_DUMP_ZSTD_H */
