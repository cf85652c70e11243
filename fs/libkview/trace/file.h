/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files cpuN of trace/: the ring of one CPU in the kernel's mapping layout (ringbuf.h).
 *
 * What the kernel maps, it maps itself: trace_pipe_raw is the backing file (mode split), and
 * the daemon has no part in what is written and seen there. Reading takes a copy, a
 * consistent one, that stays with the opening until it reads at offset 0 again. In mode copy
 * there is one more copy, which is what is mapped; GET_READER refreshes it.
 *
 * Between opens nothing is held. An open file holds its ring in tracefs open, and in mode
 * copy also maps it from the first mapping or GET_READER on, until the last close.
 */
#ifndef KVFS_TRACE_FILE_H
#define KVFS_TRACE_FILE_H

#include <stdint.h>

#include "node/node.h"

/* The files that exist, so that two lookups of one ring find one node. */
struct kvfs_trace_files;		/* opaque; counts its references */

struct kvfs_trace_files *kvfs_trace_files_create(void);	/* NULL: out of memory */
struct kvfs_trace_files *kvfs_trace_files_get(struct kvfs_trace_files *files);
void kvfs_trace_files_put(struct kvfs_trace_files *files);	/* NULL is allowed */

/*
 * The file of the ring in folder dir (per_cpu/cpuN of tracefs). label: its path in the tree.
 * *out has a reference for the caller. -ENOENT if there is no such ring, -ENOMEM.
 */
int kvfs_trace_files_lookup(struct kvfs_trace_files *files, const char *dir, const char *label,
			    uint64_t parent_ino, struct kvfs_node **out);

/* Number of the ring in folder dir, which is the ino of its file; 0 if there is none. */
uint64_t kvfs_trace_file_ino(const char *dir);

#endif /* KVFS_TRACE_FILE_H */
