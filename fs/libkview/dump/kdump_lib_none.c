// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_lib.h"

#include <errno.h>

int kvfs_kdump_lib_open(const int *fds, size_t nr, uint32_t page_size, struct kvfs_kdump_lib **out,
			struct kvfs_err *err)
{
	return kvfs_err_set(err, EOPNOTSUPP,
			    "the dump is compressed, and this kviewfs was built without libkdumpfile, which can read it");
}

void kvfs_kdump_lib_close(struct kvfs_kdump_lib *lib)
{
}

int kvfs_kdump_lib_read(struct kvfs_kdump_lib *lib, void *buf, size_t len, uint64_t paddr, size_t *done)
{
	*done = 0;
	return -EOPNOTSUPP;
}
