/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of kdump-compressed files that need no libkdumpfile: those that are stored uncompressed,
 * and, where libzstd is there, those that zstd compressed. Adjacent ones are read together. All
 * other pages are read by kdump_lib.h; kdump.c decides for each page.
 */
#ifndef KVFS_DUMP_KDUMP_PAGES_H
#define KVFS_DUMP_KDUMP_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "dump/kdump_set.h"
#include "dump/result.h"
#include "dump/zstd.h"

/* Whether kvfs_kdump_pages_read() can read a page. zstd is NULL where libzstd is not there. */
bool kvfs_kdump_pages_can(const struct kvfs_zstd *zstd, const struct kvfs_kdump_location *loc);

/*
 * Reads n pages (64 at most) of page_size bytes, each of which it can read, into buf. *result is
 * zeroed by the caller; bit 0 is the first page. What buf holds of a page that was not read is
 * undefined.
 */
void kvfs_kdump_pages_read(struct kvfs_zstd *zstd, const struct kvfs_kdump_location *locs, size_t n,
			   size_t page_size, unsigned char *buf, struct kvfs_dump_result *result);

#endif /* KVFS_DUMP_KDUMP_PAGES_H */
