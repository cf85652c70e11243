/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plain ELF cores: /proc/vmcore, a copy of it, `makedumpfile -E`, QEMU's dump-guest-memory without
 * compression. The space is the file: core is the file itself.
 */
#ifndef KVFS_DUMP_ELF_H
#define KVFS_DUMP_ELF_H

#include "dump/format.h"

/* open: the errors of kvfs_elf_load(), and -EBADMSG for a segment that is longer than a file can be. */
extern const struct kvfs_dump_format kvfs_dump_elf;

#endif /* KVFS_DUMP_ELF_H */
