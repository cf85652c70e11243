/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of kdump-compressed files, decompressed by libkdumpfile. kdump_lib.c is the only file that
 * includes that library; a build without it has kdump_lib_none.c in its place.
 *
 * The library trusts its files more than this program may: kdump_header.h checks the headers, and
 * every page descriptor, before the library reads them.
 */
#ifndef KVFS_DUMP_KDUMP_LIB_H
#define KVFS_DUMP_KDUMP_LIB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct kvfs_kdump_lib;		/* opaque; any number of threads may read */

/*
 * Opens a dump of nr files; fds are borrowed until close. page_size is that of its header, in bytes.
 * Returns 0, -EOPNOTSUPP with a message in a build without libkdumpfile, -EBADMSG with the library's
 * message, or -ENOMEM.
 */
int kvfs_kdump_lib_open(const int *fds, size_t nr, uint32_t page_size, struct kvfs_kdump_lib **out,
			struct kvfs_err *err);

/* No thread may be reading. NULL is allowed. */
void kvfs_kdump_lib_close(struct kvfs_kdump_lib *lib);

/*
 * Reads whole pages from physical address paddr on into buf. *done is the bytes read: less than len
 * if the page there cannot be read. Returns 0, or what is wrong with that page: -EBADMSG if it is
 * damaged, -EOPNOTSUPP if the library was built without its method, or another -errno if it is
 * unavailable (result.h).
 */
int kvfs_kdump_lib_read(struct kvfs_kdump_lib *lib, void *buf, size_t len, uint64_t paddr, size_t *done);

#endif /* KVFS_DUMP_KDUMP_LIB_H */
