/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ELF core that a kdump-compressed dump would have been: segments out of the bitmap of
 * RAM, virtual addresses out of the kernel's page tables, notes as they are.
 */
#ifndef KVFS_DUMP_KDUMP_ELF_H
#define KVFS_DUMP_KDUMP_ELF_H

#include <stdint.h>

#include "base/err.h"
#include "dump/dump.h"
#include "dump/pfnmap.h"

/*
 * Sets dump->machine by its name in uname -m, or by dump->notes if the dump has no name that
 * is known; EM_NONE if they do not tell, either.
 */
void kvfs_kdump_elf_find_machine(struct kvfs_dump *dump, const char *name);

/* Takes dump->vmcoreinfo out of dump->notes, if it is there. 0 or -ENOMEM. */
int kvfs_kdump_elf_find_vmcoreinfo(struct kvfs_dump *dump, struct kvfs_err *err);

/*
 * Makes dump->segs, without virtual addresses, and dump->ram. More runs than an ELF header
 * should name are joined: what lies between is left out of the dump in any case. 0 or -ENOMEM.
 */
int kvfs_kdump_elf_make_ram(struct kvfs_dump *dump, const struct kvfs_pfnmap *ram,
			    uint32_t page_size, struct kvfs_err *err);

/*
 * Gives the segments their virtual addresses, as far as these can be found out, adds one for
 * the kernel image before them, and makes dump->core. Reads the dump. 0, -ENOMEM, or -EFBIG
 * if there are more notes than fit.
 */
int kvfs_kdump_elf_make(struct kvfs_dump *dump, uint32_t page_size, struct kvfs_err *err);

#endif /* KVFS_DUMP_KDUMP_ELF_H */
