/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of kdump-compressed files that need no help: those that are stored as they are, and,
 * where libzstd is, those that zstd has compressed. What lies together is read together.
 */
#ifndef KVFS_DUMP_KDUMP_PAGES_H
#define KVFS_DUMP_KDUMP_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dump/kdump_set.h"
#include "dump/zstd.h"

/* Whether kvfs_kdump_pages_read() can read a page; zstd is NULL where libzstd is not. */
bool kvfs_kdump_pages_can(const struct kvfs_zstd *zstd, const struct kvfs_kdump_location *loc);

/*
 * Reads n pages (64 at most), each of which it can read, into buf. Returns the mask of those
 * that are damaged, the lowest bit for the first; what they have in buf is undefined.
 */
uint64_t kvfs_kdump_pages_read(struct kvfs_zstd *zstd, const struct kvfs_kdump_location *locs,
			       size_t n, size_t page_size, unsigned char *buf);

#endif /* KVFS_DUMP_KDUMP_PAGES_H */
