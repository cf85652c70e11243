// SPDX-License-Identifier: GPL-2.0-only
#include "dump/zstd.h"

#include <errno.h>

int kvfs_zstd_create(struct kvfs_zstd **out)
{
	*out = NULL;
	return 0;
}

void kvfs_zstd_destroy(struct kvfs_zstd *z)
{
}

int kvfs_zstd_decompress(struct kvfs_zstd *z, const void *src, size_t len, void *dst, size_t page_len)
{
	return -EOPNOTSUPP;
}
