// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_pages.h"

#include <string.h>

#include "base/io.h"

/* Bytes of a file that are read at a time. No page is longer. */
#define MAX_READ 65536

bool kvfs_kdump_pages_can(const struct kvfs_zstd *zstd, const struct kvfs_kdump_location *loc)
{
	return loc->flags == 0 || (loc->flags == KVFS_KDUMP_DESC_ZSTD && zstd);
}

/* The number of pages, from the first on, that are adjacent and can be read at once. */
static size_t count_adjacent(const struct kvfs_kdump_location *locs, size_t n)
{
	uint64_t len = locs[0].len;
	size_t i = 1;

	while (i < n && locs[i].fd == locs[0].fd && locs[i].off == locs[0].off + len &&
	       len + locs[i].len <= MAX_READ)
		len += locs[i++].len;
	return i;
}

static int unpack(struct kvfs_zstd *zstd, const struct kvfs_kdump_location *loc, const unsigned char *src,
		  size_t page_size, unsigned char *page)
{
	if (loc->flags == KVFS_KDUMP_DESC_ZSTD)
		return kvfs_zstd_decompress(zstd, src, loc->len, page, page_size);
	memcpy(page, src, page_size);
	return 0;
}

/* Reads n adjacent pages. */
static void read_adjacent(struct kvfs_zstd *zstd, const struct kvfs_kdump_location *locs, size_t n,
			  size_t page_size, unsigned char *buf, struct kvfs_dump_result *result)
{
	unsigned char raw[MAX_READ];
	size_t len = (size_t)(locs[n - 1].off - locs[0].off) + locs[n - 1].len, at = 0;
	ssize_t got = kvfs_io_pread(locs[0].fd, raw, len, locs[0].off);
	int down = got < 0 ? (int)got : 0;

	for (size_t i = 0; i < n; at += locs[i++].len) {
		int ret = 0;

		if (got < 0 || at + locs[i].len > (size_t)got) {
			/* EIO may be of one sector: each page is read by itself. Others are of the file. */
			if (down == 0 || down == -EIO || down == -EBADMSG)
				down = kvfs_dump_pread(locs[i].fd, raw + at, locs[i].len, locs[i].off);
			ret = down;
		}
		if (ret == 0)
			ret = unpack(zstd, &locs[i], raw + at, page_size, buf + i * page_size);
		kvfs_dump_result_note(result, i, ret);
	}
}

void kvfs_kdump_pages_read(struct kvfs_zstd *zstd, const struct kvfs_kdump_location *locs, size_t n,
			   size_t page_size, unsigned char *buf, struct kvfs_dump_result *result)
{
	for (size_t i = 0; i < n;) {
		struct kvfs_dump_result part = { 0 };
		size_t run = count_adjacent(locs + i, n - i);

		read_adjacent(zstd, locs + i, run, page_size, buf + i * page_size, &part);
		kvfs_dump_result_merge(result, &part, i);
		i += run;
	}
}
