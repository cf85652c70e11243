/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening and closing of files and directories (struct kvfs_handle). All that are open are on a
 * list, because a mount that is taken away while in use gets no RELEASE for them.
 */
#ifndef KVFS_FUSE_HANDLE_H
#define KVFS_FUSE_HANDLE_H

#include "fuse/server.h"

struct fuse_file_info;

/* Makes an empty list. */
void kvfs_handles_init(struct kvfs_handles *handles);

/*
 * Opens a file and fills in fi for the reply, fh included. Takes its own reference to node.
 * Returns 0, -EISDIR for a directory, -EROFS for an opening that is not for reading alone,
 * -ENOMEM, or why the source cannot be read.
 */
int kvfs_handle_open_file(struct kvfs_ops *ops, struct kvfs_node *node, struct fuse_file_info *fi);

/* The same for a directory; -ENOTDIR for anything else. */
int kvfs_handle_open_dir(struct kvfs_ops *ops, struct kvfs_node *node, struct fuse_file_info *fi);

/* Undoes either. */
void kvfs_handle_close(struct kvfs_ops *ops, struct kvfs_handle *handle);

/* Closes all that are open. No request may be under way, or come in any more. */
void kvfs_handles_close_all(struct kvfs_ops *ops);

#endif /* KVFS_FUSE_HANDLE_H */
