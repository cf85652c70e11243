/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages out of kdump-compressed files, decompressed by libkdumpfile. kdumplib.c is the only
 * file that knows that library; a build without it has kdumplib_none.c in its place.
 *
 * The library trusts its files more than this program may: kdumphead.h judges the headers,
 * and every page descriptor, before the library gets to see them.
 */
#ifndef KVFS_DUMP_KDUMP_LIB_H
#define KVFS_DUMP_KDUMP_LIB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct kvfs_kdump_lib;		/* opaque; any number of threads may read */

/*
 * Opens a dump of nr files, which are borrowed until close. page_size is what its header
 * says. Returns 0, -EOPNOTSUPP with a message in a build without libkdumpfile, or -errno with
 * what the library has to say.
 */
int kvfs_kdump_lib_open(const int *fds, size_t nr, uint32_t page_size, struct kvfs_kdump_lib **out,
			struct kvfs_err *err);

/* Nobody may be reading. NULL is allowed. */
void kvfs_kdump_lib_close(struct kvfs_kdump_lib *lib);

/*
 * Reads whole pages from physical address paddr on. Returns the bytes read: less than len
 * before a page that cannot be had.
 */
size_t kvfs_kdump_lib_read(struct kvfs_kdump_lib *lib, void *buf, size_t len, uint64_t paddr);

#endif /* KVFS_DUMP_KDUMP_LIB_H */
