/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bitmap of pages, as kdump-compressed dumps have it: which are set, where the next run begins, and
 * how many are set below one (its index in a table with an entry for each page that is set). Pure,
 * but for loading.
 */
#ifndef KVFS_DUMP_PFNMAP_H
#define KVFS_DUMP_PFNMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct kvfs_pfnmap {
	uint64_t *words;	/* bit n of word i is PFN 64 * i + n */
	uint64_t *ranks;	/* bits set before each KVFS_PFNMAP_BLOCK bits */
	uint64_t nr_pfns;	/* bits */
};

/* Largest bitmap that is read, in bytes: 32 TiB of 4 KiB pages. It is kept in memory. */
#define KVFS_PFNMAP_MAX_LEN (1ULL << 30)

/* Bits for each number in ranks. */
#define KVFS_PFNMAP_BLOCK 4096

/*
 * Loads nr_pfns bits at off of fd, low bits of a byte first. fd is borrowed. Returns 0, -EFBIG if the
 * bitmap is too large, -ENODATA if the file ends before it does, -ENOMEM, or the -errno of pread(2).
 */
int kvfs_pfnmap_load(int fd, uint64_t off, uint64_t nr_pfns, struct kvfs_pfnmap *out);

/* A zeroed one and NULL are allowed. */
void kvfs_pfnmap_deinit(struct kvfs_pfnmap *map);

/* Whether pfn is set; false past the end. */
bool kvfs_pfnmap_test(const struct kvfs_pfnmap *map, uint64_t pfn);

/*
 * The first PFN of [pfn, end) that is set, or that is not; end if there is none. PFNs past the end of
 * the map are neither.
 */
uint64_t kvfs_pfnmap_next_set(const struct kvfs_pfnmap *map, uint64_t pfn, uint64_t end);
uint64_t kvfs_pfnmap_next_clear(const struct kvfs_pfnmap *map, uint64_t pfn, uint64_t end);

/* How many are set below pfn, which may be past the end. */
uint64_t kvfs_pfnmap_rank(const struct kvfs_pfnmap *map, uint64_t pfn);

#endif /* KVFS_DUMP_PFNMAP_H */
