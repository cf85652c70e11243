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
 * Makes the directory. Its files get the numbers from first_ino on, 2^32 of them. The first
 * look-up or listing reads kallsyms. Takes its own reference to src; kallsyms is borrowed for the
 * life of the directory. Returns NULL if out of memory.
 */
struct kvfs_node *kvfs_kcore_sym_create(struct kvfs_kcore_source *src, const char *kallsyms,
					uint64_t ino, uint64_t parent_ino, uint64_t first_ino);

#endif /* KVFS_KCORE_SYM_H */
