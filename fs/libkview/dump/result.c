// SPDX-License-Identifier: GPL-2.0-only
#include "dump/result.h"

#include <sys/types.h>

#include "base/io.h"

int kvfs_dump_pread(int fd, void *buf, size_t len, uint64_t off)
{
	size_t done = 0;

	/* A short read may hide an error: only a read of 0 bytes is the end of the file. */
	while (done < len) {
		ssize_t n = kvfs_io_pread(fd, (char *)buf + done, len - done, off + done);

		if (n < 0)
			return n == -EBADMSG ? -EIO : (int)n;
		if (n == 0)
			return -EBADMSG;
		done += (size_t)n;
	}
	return 0;
}
