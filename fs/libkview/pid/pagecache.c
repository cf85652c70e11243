// SPDX-License-Identifier: GPL-2.0-only
#include "pid/pagecache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/err.h"

/* SYS_cachestat of Linux 6.5, the same everywhere, for builds against older headers. */
#define NR_CACHESTAT 451
#define PIECE_PAGES 65536	/* pages for one mincore(2): 64 KiB of answers */

/* linux/mman.h of Linux 6.5 */
struct cachestat_range {
	uint64_t off;
	uint64_t len;
};

struct cachestat {
	uint64_t nr_cache;
	uint64_t nr_dirty;
	uint64_t nr_writeback;
	uint64_t nr_evicted;
	uint64_t nr_recently_evicted;
};

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Tells whether some of the file is, or may be, resident. Cheaper than mapping it. */
static bool may_have_pages(int fd)
{
	struct cachestat_range range = { 0 };	/* the whole file */
	struct cachestat stat;

	if (syscall(NR_CACHESTAT, fd, &range, &stat, 0) < 0)
		return errno == ENOSYS || errno == EPERM;
	return stat.nr_cache || stat.nr_evicted;
}

/*
 * Opens the file of an O_PATH descriptor, whose type has a page cache. O_NONBLOCK: does not wait
 * for a process that holds a lease.
 */
static int open_pages(int path_fd, uint32_t dev_major, struct kvfs_pagecache *out)
{
	enum kvfs_pagecache_kind kind = KVFS_PAGECACHE_PAGES;
	_cleanup_close_ int fd = -1;
	char path[sizeof("/proc/self/fd/") + 10];
	struct statfs fs;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	out->kind = KVFS_PAGECACHE_OPAQUE;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOATIME | O_NOCTTY);
	/* EAGAIN: a process holds a lease. */
	if (fd < 0)
		return kvfs_err_is_shortage(-errno) && errno != EAGAIN ? -errno : 0;
	if (dev_major == 0) {
		if (fstatfs(fd, &fs) < 0)
			return kvfs_err_is_shortage(-errno) ? -errno : 0;
		if (fs.f_type == HUGETLBFS_MAGIC) {
			out->kind = KVFS_PAGECACHE_HUGETLB;
			return 0;
		}
		if (fs.f_type == TMPFS_MAGIC) {
			kind = KVFS_PAGECACHE_SHMEM;
		} else if (fs.f_type != OVERLAYFS_SUPER_MAGIC && !may_have_pages(fd)) {
			/*
			 * Mapping a file of tracefs and the like has effects. A file of overlayfs has
			 * no pages itself, but a mapping of it is one of the file below, which has.
			 */
			out->kind = KVFS_PAGECACHE_DEVICE;
			return 0;
		}
	}
	out->kind = kind;
	out->fd = kvfs_steal_fd(&fd);
	return 0;
}

int kvfs_pagecache_open(int procdir, struct kvfs_may_block *may_block,
			const struct kvfs_mapping *map, struct kvfs_pagecache *out)
{
	_cleanup_close_ int fd = -1;
	struct statx stx;
	char name[64];
	bool blocks;
	int ret;

	out->kind = KVFS_PAGECACHE_DEVICE;
	out->fd = -1;
	out->start = map->start;
	out->file_off = map->file_off;
	ret = kvfs_may_block_dev(may_block, procdir, makedev(map->dev_major, map->dev_minor), &blocks);
	if (ret < 0)
		return ret;
	if (blocks) {
		out->kind = KVFS_PAGECACHE_OPAQUE;
		return 0;
	}
	snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64, map->start, map->end);
	fd = openat(procdir, name, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* AT_STATX_DONT_SYNC: a file system knows the type without its server. */
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) < 0)
		return -errno;
	if (!S_ISREG(stx.stx_mode) && !S_ISBLK(stx.stx_mode))
		return 0;
	return open_pages(fd, map->dev_major, out);
}

void kvfs_pagecache_close(struct kvfs_pagecache *cache)
{
	if (cache->fd >= 0)
		close(cache->fd);
	cache->fd = -1;
}

/* Returns the offset in the file of len bytes at addr, or UINT64_MAX if no file has such offsets. */
static uint64_t file_off_of(const struct kvfs_pagecache *cache, uint64_t addr, uint64_t len)
{
	uint64_t off, end;

	if (!kvfs_add_u64(cache->file_off, addr - cache->start, &off) ||
	    !kvfs_add_u64(off, len, &end) || end > INT64_MAX)
		return UINT64_MAX;
	return off;
}

int kvfs_pagecache_resident(const struct kvfs_pagecache *cache, uint64_t start, uint8_t *vec,
			    size_t n)
{
	_cleanup_free_ unsigned char *answer = malloc(n < PIECE_PAGES ? n : PIECE_PAGES);
	uint64_t size = page_size(), off = file_off_of(cache, start, n * size);
	unsigned char *map;
	int ret = 0;

	if (!answer)
		return -ENOMEM;
	if (off == UINT64_MAX)
		return -EOVERFLOW;
	map = mmap(NULL, n * size, PROT_NONE, MAP_SHARED | MAP_NORESERVE, cache->fd, (off_t)off);
	if (map == MAP_FAILED) {
		/* The process could map this file and the daemon cannot: nothing is known of its pages. */
		if (errno == ENOMEM || errno == EAGAIN)
			return -errno;
		for (size_t i = 0; i < n; i++)
			vec[i] &= (uint8_t)~1;
		return 0;
	}
	for (size_t done = 0; done < n && ret == 0;) {
		size_t some = n - done < PIECE_PAGES ? n - done : PIECE_PAGES;

		if (mincore(map + done * size, some * size, answer) < 0) {
			ret = -errno;
			break;
		}
		for (size_t i = 0; i < some; i++)
			vec[done + i] = (uint8_t)((vec[done + i] & ~1) | (answer[i] & 1));
		done += some;
	}
	munmap(map, n * size);
	return ret;
}

int kvfs_pagecache_mark_swapped(const struct kvfs_pagecache *cache, uint64_t start, uint8_t *vec,
				size_t n, uint8_t mark)
{
	uint64_t size = page_size(), off = file_off_of(cache, start, n * size);
	uint64_t at = off, end;

	if (off == UINT64_MAX)
		return -EOVERFLOW;
	end = off + n * size;
	/* For tmpfs a page in swap is data, so data that is not resident is in swap. */
	while (at < end) {
		off_t data = lseek(cache->fd, (off_t)at, SEEK_DATA);
		off_t hole;

		if (data < 0 && errno == ENXIO)
			return 0;
		if (data < 0)
			return -errno;
		if ((uint64_t)data >= end)
			return 0;
		hole = lseek(cache->fd, data, SEEK_HOLE);
		if (hole < 0 && errno != ENXIO)
			return -errno;
		if (hole < 0 || (uint64_t)hole > end)
			hole = (off_t)end;
		for (uint64_t i = ((uint64_t)data - off) / size; i < ((uint64_t)hole - off + size - 1) / size; i++)
			if (!(vec[i] & 1))
				vec[i] |= mark;
		if ((uint64_t)hole <= at)	/* the file has been truncated meanwhile */
			return 0;
		at = (uint64_t)hole;
	}
	return 0;
}

struct marks {
	uint8_t skip, page, swap;
};

/* Marks vec[0, n), which belongs to off in the file: all at once if they are of one sort, else by halves. */
static int mark_cache(int fd, uint64_t off, uint8_t *vec, size_t n, const struct marks *marks)
{
	struct cachestat_range range = { .off = off, .len = n * page_size() };
	struct cachestat stat;
	size_t all = 0, wanted = 0;
	uint8_t mark;
	int ret;

	for (size_t i = 0; i < n; i++) {
		all += vec[i] & 1;
		wanted += (vec[i] & 1) && !(vec[i] & marks->skip);
	}
	if (!wanted)
		return 0;
	if (syscall(NR_CACHESTAT, fd, &range, &stat, 0) < 0)
		return -errno;
	/* The counts may differ because pages came or went meanwhile; the recursion ends at one page. */
	if (n > 1 && stat.nr_cache < all && stat.nr_cache > 0) {
		ret = mark_cache(fd, off, vec, n / 2, marks);
		if (ret < 0)
			return ret;
		return mark_cache(fd, off + n / 2 * page_size(), vec + n / 2, n - n / 2, marks);
	}
	mark = stat.nr_cache ? marks->page : marks->swap;
	for (size_t i = 0; i < n; i++)
		if ((vec[i] & 1) && !(vec[i] & marks->skip))
			vec[i] |= mark;
	return 0;
}

int kvfs_pagecache_mark_cache(const struct kvfs_pagecache *cache, uint64_t start, uint8_t *vec,
			      size_t n, uint8_t skip, uint8_t page_mark, uint8_t swap_mark)
{
	const struct marks marks = { .skip = skip, .page = page_mark, .swap = swap_mark };
	uint64_t off = file_off_of(cache, start, n * page_size());

	if (off == UINT64_MAX)
		return -EOVERFLOW;
	return mark_cache(cache->fd, off, vec, n, &marks);
}
