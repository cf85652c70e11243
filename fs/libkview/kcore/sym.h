/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The directory kcore/sym: each symbol of the kernel image as a file, under its NAME, or as
 * NAME@ADDRESS where several have that name.
 */
#ifndef KVFS_KCORE_SYM_H
#define KVFS_KCORE_SYM_H

#include <stdint.h>

#include "kcore/source.h"
#include "node/node.h"

/*
 * Makes the directory. Files in it get numbers from first_ino on, which must leave room for
 * 2^32 of them. Takes its own reference to src. NULL: out of memory.
 */
struct kvfs_node *kvfs_kcore_sym_create(struct kvfs_kcore_source *src, const char *kallsyms,
					uint64_t ino, uint64_t parent_ino, uint64_t first_ino);

#endif /* KVFS_KCORE_SYM_H */
