/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chooses how a file is served, and ties it to a kernel file of its own (FUSE passthrough) where
 * possible. The only file that knows which libfuse it is built with.
 *
 * The kernel has these rules (fs/fuse/iomode.c, passthrough.c), and returns EIO to the user if one
 * is broken:
 *  - the simultaneous opens of an inode are all tied to the same backing file, or none is; so the
 *    first open decides, and its choice holds until the last release;
 *  - FOPEN_PASSTHROUGH can be combined with FOPEN_DIRECT_IO and FOPEN_NOFLUSH only;
 *  - a backing file must not be on a file system that is stacked on others, or claims to be:
 *    procfs claims it, so /proc/kcore cannot be a backing file.
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
/* NULL is allowed. Open files keep their backing files: the kernel holds them. */
void kvfs_backing_destroy(struct kvfs_backing *backing);

/* The version of the library at run time, such as "3.17.2". */
const char *kvfs_backing_libfuse_version(void);

/* Called in the INIT request: asks for what backing files and mappings of copied files need. */
void kvfs_backing_negotiate(struct kvfs_backing *backing, struct fuse_conn_info *conn);

/*
 * Called after the reply to INIT: tries whether this mount can have backing files.
 * fuse_fd is the descriptor of /dev/fuse, borrowed for the life of backing.
 */
void kvfs_backing_probe(struct kvfs_backing *backing, int fuse_fd);

/* Whether it can; *reason, if it cannot, lives as long as backing. */
bool kvfs_backing_passthrough(const struct kvfs_backing *backing, const char **reason);

/* Whether a copied file can be mapped with MAP_SHARED (Linux 6.6 and libfuse 3.17). */
bool kvfs_backing_shared_mmap(const struct kvfs_backing *backing);

/*
 * Decides how file is served, fills in fi for the reply to OPEN, and holds the decision until
 * kvfs_backing_release(). Called between open() and release() of the node. Without a backing file
 * the file is copied; *lost is true if a backing file was expected and this is the first failure,
 * so that the caller can log it once. Returns 0 or -ENOMEM.
 */
int kvfs_backing_open(struct kvfs_backing *backing, struct kvfs_node *file,
		      struct fuse_file_info *fi, bool *lost);

/* Undoes one kvfs_backing_open(). */
void kvfs_backing_release(struct kvfs_backing *backing, struct kvfs_node *file);

/*
 * Drops the failure that is remembered of an inode, which the kernel has forgotten, unless
 * kvfs_backing_rehearse() was called for it.
 */
void kvfs_backing_forget(struct kvfs_backing *backing, uint64_t ino);

/* The mode of file, which is open. It does not change until the last release. */
enum kvfs_mode kvfs_backing_mode(struct kvfs_backing *backing, const struct kvfs_node *file);

/*
 * Reports the mode of file if it is open, else the mode that the next open is expected to have, and
 * why it is not direct or split; reason->errnum is 0 otherwise. *opens, if not NULL, is the number
 * of opens. Opens nothing.
 */
void kvfs_backing_plan(struct kvfs_backing *backing, struct kvfs_node *file,
		       enum kvfs_mode *mode, struct kvfs_err *reason, unsigned int *opens);

/* Opens and releases file as a client would, so that later plans were tried. */
void kvfs_backing_rehearse(struct kvfs_backing *backing, struct kvfs_node *file);

#endif /* KVFS_FUSE_BACKING_H */
