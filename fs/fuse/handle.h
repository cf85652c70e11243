/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fi->fh points to: an open file or directory. All that are open are on a list, because
 * a mount that is taken away while in use gets no release for them.
 */
#ifndef KVFS_FUSE_HANDLE_H
#define KVFS_FUSE_HANDLE_H

#include <pthread.h>
#include <stdbool.h>

#include "node/node.h"

struct fuse_file_info;
struct kvfs_ops;

struct kvfs_handle {
	struct kvfs_node *node;		/* a reference */
	void *view;			/* the view's own handle of an open file, or reader of a directory */
	enum kvfs_mode mode;		/* of an open file */
	bool nonblock;			/* the file was opened with O_NONBLOCK */
	struct kvfs_handle *prev, *next;	/* kvfs_handles.lock */
};

/* All zero is an empty list, but for the lock. */
struct kvfs_handles {
	pthread_mutex_t lock;		/* the list */
	struct kvfs_handle *first;
};

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
