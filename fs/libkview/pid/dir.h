/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory pid/: a directory for each process, and the link `self`. */
#ifndef KVFS_PID_DIR_H
#define KVFS_PID_DIR_H

#include "base/err.h"
#include "base/pool.h"
#include "node/node.h"

/*
 * Makes the directory. Borrows pool for the life of the node (mincore.h). Returns 0 and a node with
 * a reference for the caller, or -errno and a message that names what is missing: a capability, or
 * /proc/N/pagemap in the kernel.
 */
int kvfs_pid_dir_create(struct kvfs_pool *pool, struct kvfs_node **out, struct kvfs_err *err);

#endif /* KVFS_PID_DIR_H */
