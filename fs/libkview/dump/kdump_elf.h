/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ELF core that is built around the pages of a kdump-compressed dump: segments from the bitmap
 * of RAM, virtual addresses from the kernel's page tables, the notes of the dump.
 */
#ifndef KVFS_DUMP_KDUMP_ELF_H
#define KVFS_DUMP_KDUMP_ELF_H

#include <stdint.h>

#include "base/err.h"
#include "dump/dump.h"
#include "dump/pfnmap.h"

/*
 * Sets dump->machine (e_machine) by name, that of uname -m. If the name is unknown, the length of an
 * NT_PRSTATUS in dump->notes decides, or it is EM_NONE.
 */
void kvfs_kdump_elf_find_machine(struct kvfs_dump *dump, const char *name);

/* Copies the VMCOREINFO note of dump->notes, if there is one, to dump->vmcoreinfo. 0 or -ENOMEM. */
int kvfs_kdump_elf_find_vmcoreinfo(struct kvfs_dump *dump, struct kvfs_err *err);

/*
 * Makes dump->segs, without virtual addresses, and dump->ram. More runs of RAM than an ELF header
 * should have are joined; the dump has no pages between them. Returns 0, or -ENOMEM with a message.
 */
int kvfs_kdump_elf_make_ram(struct kvfs_dump *dump, const struct kvfs_pfnmap *ram,
			    uint32_t page_size, struct kvfs_err *err);

/*
 * Adds virtual addresses to the segments, and a segment for the kernel image before them, if the
 * kernel's page tables are in the dump, which it reads; then makes dump->core. Returns 0, or with a
 * message -ENOMEM, -EFBIG if there are more notes than fit, or the -errno of a table that is
 * unavailable, unless it is EIO, which may be damage.
 */
int kvfs_kdump_elf_make(struct kvfs_dump *dump, uint32_t page_size, struct kvfs_err *err);

#endif /* KVFS_DUMP_KDUMP_ELF_H */
