// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_lib.h"

#include <errno.h>

int kvfs_kdumplib_open(const int *fds, size_t nr, uint32_t page_size, struct kvfs_kdumplib **out,
		       struct kvfs_err *err)
{
	return kvfs_err_set(err, EOPNOTSUPP,
			    "the dump is compressed, and this kviewfs was built without libkdumpfile, which can read it");
}

void kvfs_kdumplib_close(struct kvfs_kdumplib *lib)
{
}

size_t kvfs_kdumplib_read(struct kvfs_kdumplib *lib, void *buf, size_t len, uint64_t paddr)
{
	return 0;
}
