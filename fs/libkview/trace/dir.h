/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace/: the ring buffers of the kernel's tracing, one file a CPU, for the top level and
 * below instances/ for each instance that exists. libtracefs finds them.
 */
#ifndef KVFS_TRACE_DIR_H
#define KVFS_TRACE_DIR_H

#include <stdbool.h>

#include "base/err.h"
#include "node/node.h"

/*
 * Makes the directory. mount: mounts tracefs where it belongs if it is not mounted, and leaves
 * it there. Returns 0, -ENOENT if it is not mounted, or -errno, with the reason. To be
 * called once in the life of a process: libtracefs keeps the tracing directory to itself.
 */
int kvfs_trace_dir_create(bool mount, struct kvfs_node **out, struct kvfs_err *err);

#endif /* KVFS_TRACE_DIR_H */
