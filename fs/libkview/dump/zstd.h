/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that zstd has compressed. libkdumpfile reads them, too, but makes a new context for
 * each page and looks for it in lists that cost as much again. zstdpage.c is the only file
 * that knows libzstd; a build without it has zstdpage_none.c in its place.
 */
#ifndef KVFS_DUMP_ZSTD_H
#define KVFS_DUMP_ZSTD_H

#include <stdbool.h>
#include <stddef.h>

struct kvfs_zstd;		/* opaque; any number of threads may use it */

/* *out is NULL in a build without libzstd, which is no error. 0 or -ENOMEM. */
int kvfs_zstd_create(struct kvfs_zstd **out);

/* Nobody may be using it. NULL is allowed. */
void kvfs_zstd_destroy(struct kvfs_zstd *z);

/*
 * Decompresses [src, src + len) to exactly page_len bytes. False if that is not what it is,
 * or if out of memory; dst may be written in part then.
 */
bool kvfs_zstd_decompress(struct kvfs_zstd *z, const void *src, size_t len, void *dst,
			  size_t page_len);

#endif /* KVFS_DUMP_ZSTD_H */
