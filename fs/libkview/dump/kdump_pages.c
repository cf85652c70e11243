// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_pages.h"

#include <string.h>

#include "base/io.h"

/* Bytes of a file that are read at a time; no page is longer. */
#define MAX_READ 65536

bool kvfs_kdump_pages_can(const struct kvfs_zstd *zstd, const struct kvfs_kdump_location *loc)
{
	return loc->flags == 0 || (loc->flags == KVFS_KDUMP_DESC_ZSTD && zstd);
}

/* How many pages, from the first on, lie one behind another and can be read at once. */
static size_t count_adjacent(const struct kvfs_kdump_location *locs, size_t n)
{
	uint64_t len = locs[0].len;
	size_t i = 1;

	while (i < n && locs[i].fd == locs[0].fd && locs[i].off == locs[0].off + len &&
	       len + locs[i].len <= MAX_READ)
		len += locs[i++].len;
	return i;
}

static bool unpack(struct kvfs_zstd *zstd, const struct kvfs_kdump_location *loc, const unsigned char *src,
		   size_t page_size, unsigned char *page)
{
	if (loc->flags == KVFS_KDUMP_DESC_ZSTD)
		return kvfs_zstd_decompress(zstd, src, loc->len, page, page_size);
	memcpy(page, src, page_size);
	return true;
}

/* Pages that lie one behind another. Returns the mask of the damaged ones. */
static uint64_t read_adjacent(struct kvfs_zstd *zstd, const struct kvfs_kdump_location *locs, size_t n,
			      size_t page_size, unsigned char *buf)
{
	unsigned char raw[MAX_READ];
	size_t len = (size_t)(locs[n - 1].off - locs[0].off) + locs[n - 1].len, at = 0;
	ssize_t got = kvfs_io_pread(locs[0].fd, raw, len, locs[0].off);
	uint64_t bad = 0;

	for (size_t i = 0; i < n; at += locs[i++].len) {
		/* The file may have been cut since its length was judged. */
		bool whole = got >= 0 && at + locs[i].len <= (size_t)got;

		if (!whole || !unpack(zstd, &locs[i], raw + at, page_size, buf + i * page_size))
			bad |= 1ULL << i;
	}
	return bad;
}

uint64_t kvfs_kdump_pages_read(struct kvfs_zstd *zstd, const struct kvfs_kdump_location *locs,
			       size_t n, size_t page_size, unsigned char *buf)
{
	uint64_t bad = 0;

	for (size_t i = 0; i < n;) {
		size_t run = count_adjacent(locs + i, n - i);

		bad |= read_adjacent(zstd, locs + i, run, page_size, buf + i * page_size) << i;
		i += run;
	}
	return bad;
}
