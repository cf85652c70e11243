/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of vmcore/ that show memory: core, ram and each segment. */
#ifndef KVFS_VMCORE_FILE_H
#define KVFS_VMCORE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "node/node.h"
#include "vmcore/source.h"

/* Each takes a reference to src of its own. Returns a node with a reference, or NULL if out of memory. */
struct kvfs_node *kvfs_vmcore_file_create_core(struct kvfs_vmcore_source *src, uint64_t ino,
					       uint64_t parent_ino);
struct kvfs_node *kvfs_vmcore_file_create_ram(struct kvfs_vmcore_source *src, uint64_t ino,
					      uint64_t parent_ino);
/* nr is below the dump's nr_segs. Returns 0 and a node with a reference for the caller, or -errno. */
int kvfs_vmcore_file_create_seg(struct kvfs_vmcore_source *src, size_t nr, uint64_t ino,
				uint64_t parent_ino, struct kvfs_node **out);

#endif /* KVFS_VMCORE_FILE_H */
