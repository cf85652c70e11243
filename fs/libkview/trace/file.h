/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files cpuN of trace/: the ring of one CPU in the kernel's mapping layout (trace/ring.h).
 *
 * trace_pipe_raw itself is the backing file where there can be one (mode split), so the daemon has
 * no part in what is written and seen in a mapping. A read takes a consistent copy, which stays
 * with the open until it reads at offset 0 again. In mode copy an image (trace/image.h) is what is
 * mapped; GET_READER refreshes it. A ring that cannot be mapped is read as trace_pipe_raw is.
 *
 * Only an open of the file opens the ring. Looking at it (lookup, getattr, mode, listing) reads
 * other files of tracefs, so it neither forbids a resize nor wakes a waiting reader. An open file
 * holds its ring in tracefs open. In mode copy the daemon also maps it, from the first mapping
 * or GET_READER on until the last close.
 */
#ifndef KVFS_TRACE_FILE_H
#define KVFS_TRACE_FILE_H

#include <stdint.h>

#include "node/node.h"
#include "trace/files.h"

/*
 * Finds or makes the file of a CPU's ring, in the folder dir (per_cpu/cpuN of tracefs). label is
 * its path in the tree. *out has a reference for the caller. Returns 0, -ENOENT if there is no
 * such ring, -ENOMEM, or why tracefs cannot be asked.
 */
int kvfs_trace_file_lookup(struct kvfs_trace_files *files, const char *dir, unsigned int cpu,
			   const char *label, uint64_t parent_ino, struct kvfs_node **out);

#endif /* KVFS_TRACE_FILE_H */
