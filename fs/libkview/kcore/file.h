/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of kcore/. Each is a table of extents over one source (kcore/source.h), and they
 * differ in how the table is made. A file keeps the layout of its first open until the last
 * release, and so does the kernel file that the module makes of it.
 */
#ifndef KVFS_KCORE_FILE_H
#define KVFS_KCORE_FILE_H

#include <stdint.h>

#include "kcore/source.h"
#include "node/node.h"

/* Makes the file `which`. Takes its own reference to src. Returns NULL if out of memory. */
struct kvfs_node *kvfs_kcore_file_create(struct kvfs_kcore_source *src, enum kvfs_kcore_source_file which,
					 uint64_t ino, uint64_t parent_ino);

/* As kvfs_kcore_file_create(), for the bytes [vaddr, vaddr + len) of the kernel image. */
struct kvfs_node *kvfs_kcore_file_create_sym(struct kvfs_kcore_source *src, uint64_t vaddr,
					     uint64_t len, uint64_t ino, uint64_t parent_ino);

#endif /* KVFS_KCORE_FILE_H */
