// SPDX-License-Identifier: GPL-2.0-only
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

#define READ_FILE_START 4096	/* bytes: first size of the buffer of kvfs_io_read_file() */

ssize_t kvfs_io_pread(int fd, void *buf, size_t len, uint64_t off)
{
	size_t done = 0;

	if (off > INT64_MAX || len > SSIZE_MAX)
		return -EOVERFLOW;
	if (len > INT64_MAX - off)	/* no file goes on beyond this */
		len = INT64_MAX - off;
	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return done ? (ssize_t)done : -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int kvfs_io_pread_exact(int fd, void *buf, size_t len, uint64_t off)
{
	size_t done = 0;

	/* A short read may hide an error: only one of 0 bytes is the end of the file. */
	while (done < len) {
		ssize_t n = kvfs_io_pread(fd, (char *)buf + done, len - done, off + done);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -ENODATA;
		done += (size_t)n;
	}
	return 0;
}

/* Makes room for more bytes and a NUL: at most max + 1 bytes, of which one shows that the file is too long. */
static int grow(char **buf, size_t *cap, size_t max)
{
	size_t want = *cap ? *cap : READ_FILE_START;
	char *bigger;

	if (*cap && __builtin_mul_overflow(want, (size_t)2, &want))
		return -EFBIG;
	if (max < SIZE_MAX - 2 && want > max + 2)
		want = max + 2;
	bigger = realloc(*buf, want);
	if (!bigger)
		return -ENOMEM;
	*buf = bigger;
	*cap = want;
	return 0;
}

int kvfs_io_read_file(const char *path, size_t max, char **out, size_t *out_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *buf = NULL;
	size_t cap = 0, len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	for (;;) {
		if (len + 1 >= cap) {
			int ret = grow(&buf, &cap, max);

			if (ret)
				return ret;
		}
		n = read(fd, buf + len, cap - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
	}
	buf[len] = '\0';
	*out = kvfs_steal_ptr(buf);
	*out_len = len;
	return 0;
}
