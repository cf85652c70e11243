/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of kcore/: all of them are a table of extents over one source (kcoresrc.h), and
 * differ in how the table comes about. A file keeps the layout that it had at its first open
 * until the last release, and so does the kernel file that the module makes of it.
 */
#ifndef KVFS_KCORE_FILE_H
#define KVFS_KCORE_FILE_H

#include <stdint.h>

#include "kcore/source.h"
#include "node/node.h"

/* A file with a place in the layout. Takes its own reference to src. NULL: out of memory. */
struct kvfs_node *kvfs_kcore_file_create(struct kvfs_kcore_source *src, enum kvfs_kcore_source_file which,
					 uint64_t ino, uint64_t parent_ino);

/* The bytes [vaddr, vaddr + len) of the kernel image. The same. */
struct kvfs_node *kvfs_kcore_file_create_sym(struct kvfs_kcore_source *src, uint64_t vaddr,
					     uint64_t len, uint64_t ino, uint64_t parent_ino);

#endif /* KVFS_KCORE_FILE_H */
