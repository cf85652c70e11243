/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pages of a kdump-compressed dump of one file or of several (makedumpfile --split): which exist,
 * which are in a file, and where. Checks the descriptor of each; decompresses nothing. Immutable once
 * it is loaded.
 */
#ifndef KVFS_DUMP_KDUMP_SET_H
#define KVFS_DUMP_KDUMP_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dump/kdump_header.h"
#include "dump/pfnmap.h"
#include "dump/result.h"

/* One file. */
struct kvfs_kdump_part {
	int fd;
	uint64_t file_len;
	struct kvfs_kdump_header head;
	struct kvfs_pfnmap dumped;
	bool shares_map;	/* dumped is that of another part */
};

struct kvfs_kdump_set {
	struct kvfs_kdump_part *parts;	/* ascending, not overlapping */
	size_t nr_parts;
	struct kvfs_pfnmap ram;		/* pages of RAM */
	uint32_t page_size;		/* bytes */
	uint64_t nr_pfns;
};

/*
 * Loads the headers and bitmaps of nr files; fds are borrowed for the life of the set, names are for
 * messages. All that should be there and is not, such as parts of a split dump, is added to *missing
 * (kvfs_dump_add_missing()), also on failure. Returns 0, -EINVAL with a message for files that do not
 * belong together, the -errno of pread(2), or the errors of kvfs_kdump_header_load() and
 * kvfs_pfnmap_load().
 */
int kvfs_kdump_set_load(const int *fds, const char *const *names, size_t nr,
			struct kvfs_kdump_set *out, char **missing, struct kvfs_err *err);

/* A zeroed one and NULL are allowed. */
void kvfs_kdump_set_deinit(struct kvfs_kdump_set *set);

/* The first page of [pfn, end) that is in a file, or that is not; end if there is none. */
uint64_t kvfs_kdump_set_next_dumped(const struct kvfs_kdump_set *set, uint64_t pfn, uint64_t end);
uint64_t kvfs_kdump_set_next_excluded(const struct kvfs_kdump_set *set, uint64_t pfn, uint64_t end);

/* How many of [pfn, end) are in a file. */
uint64_t kvfs_kdump_set_count_dumped(const struct kvfs_kdump_set *set, uint64_t pfn, uint64_t end);

/* Where a page is: the bytes [off, off + len) of fd. */
struct kvfs_kdump_location {
	int fd;
	uint32_t len;		/* at most the size of a page */
	uint64_t off;
	uint32_t flags;		/* the KVFS_KDUMP_DESC_* that compressed it; 0: none */
};

/* Most pages of one call of kvfs_kdump_set_locate(). */
#define KVFS_KDUMP_SET_LOCATE_MAX 64

/*
 * Finds n pages from pfn on, all of which are in a file, and checks their descriptors. *result is
 * zeroed by the caller; bit 0 is pfn. out has n places; those of pages without a fault are filled in.
 */
void kvfs_kdump_set_locate(const struct kvfs_kdump_set *set, uint64_t pfn, size_t n,
			   struct kvfs_kdump_location *out, struct kvfs_dump_result *result);

#endif /* KVFS_DUMP_KDUMP_SET_H */
