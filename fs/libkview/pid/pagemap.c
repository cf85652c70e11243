// SPDX-License-Identifier: GPL-2.0-only
#include "pid/pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/io.h"
#include "base/once.h"

/* struct pm_scan_arg of linux/fs.h, Linux 6.7, for builds against older headers. */
struct pagemap_scan_arg {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 end;
	__u64 walk_end;
	__u64 vec;
	__u64 vec_len;
	__u64 max_pages;
	__u64 category_inverted;
	__u64 category_mask;
	__u64 category_anyof_mask;
	__u64 return_mask;
};

#define PAGEMAP_SCAN_CMD _IOWR('f', 16, struct pagemap_scan_arg)

#define SWAP_TYPE_MASK 31
/*
 * include/linux/swap.h: the last of the 32 types is that of markers, and those before it are for
 * migration, poison and devices. 23 is the lowest type that any configuration takes from swap areas.
 */
#define SWAP_TYPE_MARKER 31
#define SWAP_TYPE_BUSY_MIN 23

enum kvfs_pagemap_state kvfs_pagemap_state(uint64_t entry)
{
	unsigned int type = entry & SWAP_TYPE_MASK;

	if (entry & KVFS_PAGEMAP_PRESENT)
		return KVFS_PAGEMAP_MAPPED;
	if (!(entry & KVFS_PAGEMAP_SWAPPED) || type == SWAP_TYPE_MARKER)
		return KVFS_PAGEMAP_NONE;
	return type >= SWAP_TYPE_BUSY_MIN ? KVFS_PAGEMAP_BUSY : KVFS_PAGEMAP_SWAP;
}

/* Tells whether there is an entry at index: 1, 0, or -errno. An address space that has gone has none. */
static int has_entry(int fd, uint64_t index)
{
	uint64_t entry;
	ssize_t n = kvfs_io_pread(fd, &entry, sizeof(entry), index * sizeof(entry));

	return n < 0 ? (int)n : n == sizeof(entry);
}

/* Tells whether there are exactly n entries: 1, 0, or -errno. */
static int is_end(int fd, uint64_t n)
{
	int ret = has_entry(fd, n - 1);

	if (ret <= 0)
		return ret;
	ret = has_entry(fd, n);
	return ret < 0 ? ret : !ret;
}

int kvfs_pagemap_nr_pages(int fd, uint64_t *nr_pages)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	/* On x86-64: 47 bits, 56 bits with 5-level tables, 32-bit programs. The last page is never used. */
	const uint64_t likely[] = {
		(UINT64_C(1) << 47) / page_size - 1,
		(UINT64_C(1) << 56) / page_size - 1,
		UINT64_C(0xffffe000) / page_size,
		UINT64_C(0xc0000000) / page_size,
	};
	uint64_t low = 0, high = INT64_MAX / KVFS_PAGEMAP_ENTRY_LEN;
	int ret;

	for (size_t i = 0; i < sizeof(likely) / sizeof(likely[0]); i++) {
		ret = is_end(fd, likely[i]);
		if (ret < 0)
			return ret;
		if (ret) {
			*nr_pages = likely[i];
			return 0;
		}
	}
	/* Any other end: all entries below low exist, and none from high on. */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		ret = has_entry(fd, middle);
		if (ret < 0)
			return ret;
		if (ret)
			low = middle + 1;
		else
			high = middle;
	}
	/* An address space that has gone meanwhile looks smaller than it was. */
	ret = has_entry(fd, 0);
	if (ret <= 0)
		return ret ? ret : -ESRCH;
	*nr_pages = low;
	return 0;
}

/* Reads len bytes of one entry, from its byte skip on. */
static int read_part(int fd, void *buf, size_t len, uint64_t index, size_t skip)
{
	uint64_t entry;
	int ret = kvfs_pagemap_read_entries(fd, &entry, 1, index);

	if (ret == 0)
		memcpy(buf, (char *)&entry + skip, len);
	return ret;
}

ssize_t kvfs_pagemap_read(int fd, uint64_t nr_pages, void *buf, size_t len, uint64_t off)
{
	uint64_t size = nr_pages * KVFS_PAGEMAP_ENTRY_LEN;
	size_t skip = off % KVFS_PAGEMAP_ENTRY_LEN;
	size_t done = 0, whole;
	ssize_t n;
	int ret;

	if (off >= size)
		return 0;
	if (len > size - off)
		len = (size_t)(size - off);
	if (skip) {
		size_t part = KVFS_PAGEMAP_ENTRY_LEN - skip;

		done = part < len ? part : len;
		ret = read_part(fd, buf, done, off / KVFS_PAGEMAP_ENTRY_LEN, skip);
		if (ret < 0)
			return ret;
	}
	whole = (len - done) / KVFS_PAGEMAP_ENTRY_LEN * KVFS_PAGEMAP_ENTRY_LEN;
	if (whole) {
		n = kvfs_io_pread(fd, (char *)buf + done, whole, off + done);
		if (n <= 0 && !done)
			return n ? n : -ESRCH;
		if (n > 0)
			done += (size_t)n;
		if (n < (ssize_t)whole)
			return (ssize_t)done;
	}
	if (done < len) {
		ret = read_part(fd, (char *)buf + done, len - done,
				(off + done) / KVFS_PAGEMAP_ENTRY_LEN, 0);
		if (ret < 0)
			return done ? (ssize_t)done : ret;
	}
	return (ssize_t)len;
}

int kvfs_pagemap_read_entries(int fd, uint64_t *entries, size_t n, uint64_t index)
{
	int ret = kvfs_io_pread_exact(fd, entries, n * sizeof(*entries), index * sizeof(*entries));

	return ret == -ENODATA ? -ESRCH : ret;
}

int kvfs_pagemap_check(int fd)
{
	char byte;
	ssize_t n;

	do {
		n = pread(fd, &byte, sizeof(byte), 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return -ESRCH;
	return n < 0 && errno != EINVAL ? -errno : 0;
}

ssize_t kvfs_pagemap_scan(int fd, uint64_t start, uint64_t end,
			  const struct kvfs_pagemap_query *query,
			  struct kvfs_pagemap_region *v, size_t max, uint64_t *walked)
{
	struct pagemap_scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.vec = (__u64)(uintptr_t)v,
		.vec_len = max,
		.category_inverted = query->inverted,
		.category_anyof_mask = query->anyof,
		.return_mask = query->report,
	};
	int n = ioctl(fd, PAGEMAP_SCAN_CMD, &arg);

	if (n < 0)
		return -errno;
	*walked = arg.walk_end;
	return n;
}

static int probe_scan(void)
{
	_cleanup_close_ int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	const struct kvfs_pagemap_query query = {
		.anyof = KVFS_PAGEMAP_SCAN_PRESENT,
		.report = KVFS_PAGEMAP_SCAN_PRESENT | KVFS_PAGEMAP_SCAN_PFNZERO,
	};
	struct kvfs_pagemap_region region;
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t page = (uintptr_t)&region & ~(page_size - 1);
	uint64_t walked;
	ssize_t n;

	/* The page of this function's stack frame is present. */
	n = fd < 0 ? -errno : kvfs_pagemap_scan(fd, page, page + page_size, &query, &region, 1, &walked);
	return kvfs_err_is_shortage((int)n) ? (int)n : n == 1;
}

bool kvfs_pagemap_can_scan(void)
{
	static struct kvfs_once once = KVFS_ONCE_INIT;

	return kvfs_once(&once, probe_scan) > 0;
}
