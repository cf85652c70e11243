/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chooses how a file is served, and ties it to a kernel file of its own (FUSE passthrough)
 * where that can be had. The only file that knows which libfuse it is built with.
 *
 * The rules, all of them the kernel's (fs/fuse/iomode.c, passthrough.c); to break one gives
 * the user EIO:
 *  - the opens of an inode that exist at one time are either all of them tied to a backing
 *    file, to the same one, or none is; so the first open decides, and its choice holds
 *    until the last release;
 *  - FOPEN_PASSTHROUGH goes together with FOPEN_DIRECT_IO and FOPEN_NOFLUSH only;
 *  - a backing file must not be on a file system that is stacked on, or claims to be stacked
 *    on, others: procfs claims it, which is why /proc/kcore cannot be one itself.
 */
#ifndef KVFS_FUSE_BACKING_H
#define KVFS_FUSE_BACKING_H

#include <stdbool.h>

#include "base/err.h"
#include "node/node.h"

struct fuse_conn_info;
struct fuse_file_info;
struct kvfs_backing;		/* opaque; one a mount; any number of threads may use it */

int kvfs_backing_create(struct kvfs_backing **out);
/* NULL is allowed. Files that are open lose nothing: the kernel holds their backing files. */
void kvfs_backing_destroy(struct kvfs_backing *backing);

/* Text such as "3.17.2": of the library at run time. */
const char *kvfs_backing_libfuse_version(void);

/* In the INIT request: asks for what backing files and mappings of copied files need. */
void kvfs_backing_negotiate(struct kvfs_backing *backing, struct fuse_conn_info *conn);

/*
 * After the reply to INIT: finds out by trying whether this mount can have backing files.
 * fuse_fd is the descriptor of /dev/fuse, borrowed for the life of backing.
 */
void kvfs_backing_probe(struct kvfs_backing *backing, int fuse_fd);

/* Whether it can; *reason, if it cannot, lives as long as backing. */
bool kvfs_backing_passthrough(const struct kvfs_backing *backing, const char **reason);

/* Whether a copied file can be mapped with MAP_SHARED (Linux 6.6 and libfuse 3.17). */
bool kvfs_backing_shared_mmap(const struct kvfs_backing *backing);

/*
 * Decides how file is served, fills in fi for the reply to OPEN, and holds the decision
 * until kvfs_backing_release(). To be called between the view's open and release. It falls
 * back to copy where a backing file cannot be had: *lost is true if that had been expected
 * to work and this is the first time it failed, so that somebody can be told once.
 * Returns 0 or -ENOMEM.
 */
int kvfs_backing_open(struct kvfs_backing *backing, struct kvfs_node *file,
		      struct fuse_file_info *fi, bool *lost);

/* The release that belongs to a kvfs_backing_open(). */
void kvfs_backing_release(struct kvfs_backing *backing, struct kvfs_node *file);

/*
 * The kernel has forgotten an inode: a failure of its last open need not be remembered, unless
 * kvfs_backing_rehearse() was called for it.
 */
void kvfs_backing_forget(struct kvfs_backing *backing, uint64_t ino);

/* How file, which is open, is served. It stays so until the last release. */
enum kvfs_mode kvfs_backing_mode(struct kvfs_backing *backing, const struct kvfs_node *file);

/*
 * How file is served now if it is open, else how the next open will be, and for a copy why
 * it is one (reason is "" otherwise). *opens, if not NULL, is the number of opens.
 */
void kvfs_backing_plan(struct kvfs_backing *backing, struct kvfs_node *file,
		       enum kvfs_mode *mode, struct kvfs_err *reason, unsigned int *opens);

/* Opens and releases file as a client would: a plan after this one has been tried. */
void kvfs_backing_rehearse(struct kvfs_backing *backing, struct kvfs_node *file);

#endif /* KVFS_FUSE_BACKING_H */
