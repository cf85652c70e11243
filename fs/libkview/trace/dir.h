/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace/: the ring buffers of the kernel's tracing, one file a CPU, for the top level and
 * for each instance below instances/.
 */
#ifndef KVFS_TRACE_DIR_H
#define KVFS_TRACE_DIR_H

#include <stdbool.h>

#include "base/err.h"
#include "node/node.h"

/* All borrowed for the life of the directory. NULL where the running machine's is meant. */
struct kvfs_trace_config {
	const char *dir;	/* the folder of tracefs; copied */
	const char *online;	/* a file that lists the CPUs that are online */
	const char *release;	/* of the kernel, as of uname(2); used by the call only */
};

/*
 * Makes the directory of this machine's tracefs. mount: mounts tracefs if it is not mounted, and
 * leaves it there. Returns 0, -ENOENT if it is not mounted, or -errno, with the reason.
 */
int kvfs_trace_dir_create(bool mount, struct kvfs_node **out, struct kvfs_err *err);

/* Makes the directory of a tracefs, or of a folder like one. config->dir is set. As above. */
int kvfs_trace_dir_create_at(const struct kvfs_trace_config *config, struct kvfs_node **out,
			     struct kvfs_err *err);

#endif /* KVFS_TRACE_DIR_H */
