// SPDX-License-Identifier: GPL-2.0-only
#include "pid/mm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/number.h"
#include "pid/pagemap.h"

int kvfs_mm_open(const struct kvfs_process_id *id, struct kvfs_mm *out)
{
	_cleanup_close_ int dir = kvfs_process_open(id);
	_cleanup_close_ int anchor = -1;
	int ret;

	if (dir < 0)
		return dir;
	anchor = kvfs_process_openat(dir, "pagemap", O_RDONLY);
	if (anchor < 0)
		return anchor == -ESRCH ? -ENOENT : anchor;
	/* Before Linux 6.12 open(2) succeeds without an address space too. */
	ret = kvfs_pagemap_nr_pages(anchor, &out->nr_pages);
	if (ret < 0)
		return ret == -ESRCH ? -ENOENT : ret;
	out->auxv_len = 0;
	out->dir = kvfs_steal_fd(&dir);
	out->anchor = kvfs_steal_fd(&anchor);
	return 0;
}

void kvfs_mm_close(struct kvfs_mm *mm)
{
	close(mm->anchor);
	close(mm->dir);
}

/* Reads the first len bytes of the auxiliary vector. Returns the bytes read, or -errno. */
static ssize_t load_auxv(const struct kvfs_mm *mm, char *buf, size_t len)
{
	_cleanup_close_ int fd = kvfs_process_openat(mm->dir, "auxv", O_RDONLY);

	return fd < 0 ? fd : kvfs_io_pread(fd, buf, len, 0);
}

int kvfs_mm_remember(struct kvfs_mm *mm)
{
	ssize_t n = load_auxv(mm, mm->auxv, sizeof(mm->auxv));

	if (n < 0)
		return n == -ESRCH ? -ENOENT : (int)n;
	/* In the middle of an exec the vector is empty: AT_NULL alone. */
	mm->auxv_len = n > 0 && mm->auxv[0] ? (size_t)n : 0;
	return 0;
}

int kvfs_mm_check(const struct kvfs_mm *mm)
{
	return kvfs_pagemap_check(mm->anchor);
}

int kvfs_mm_check_own(const struct kvfs_mm *mm)
{
	char now[sizeof(mm->auxv)];
	int ret = kvfs_mm_check(mm);
	ssize_t n;

	if (ret < 0 || !mm->auxv_len)
		return ret;
	n = load_auxv(mm, now, sizeof(now));
	if (n < 0)
		return (int)n;
	return (size_t)n == mm->auxv_len && !memcmp(now, mm->auxv, mm->auxv_len) ? 0 : -ESRCH;
}

int kvfs_mm_mapped_pages(const struct kvfs_mm *mm, uint64_t *nr_pages)
{
	_cleanup_close_ int fd = kvfs_process_openat(mm->dir, "statm", O_RDONLY);
	char text[128];
	const char *p = text;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = kvfs_io_pread(fd, text, sizeof(text), 0);
	if (n < 0)
		return (int)n;
	return kvfs_number_take_until(&p, text + n, 10, ' ', UINT64_MAX, nr_pages) < 0 ? -EBADMSG : 0;
}

ssize_t kvfs_mm_read_pagemap(const struct kvfs_mm *mm, void *buf, size_t len, uint64_t off)
{
	_cleanup_close_ int fd = kvfs_process_openat(mm->dir, "pagemap", O_RDONLY);

	return fd < 0 ? fd : kvfs_pagemap_read(fd, mm->nr_pages, buf, len, off);
}
