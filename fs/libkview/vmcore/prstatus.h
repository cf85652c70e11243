/* SPDX-License-Identifier: GPL-2.0-only */
/* The text of vmcore/notes/cpuN: the registers of a CPU. Pure. */
#ifndef KVFS_VMCORE_PRSTATUS_H
#define KVFS_VMCORE_PRSTATUS_H

#include <stdint.h>
#include <stdio.h>

#include "elf/notes.h"

/*
 * Writes an NT_PRSTATUS of machine (e_machine) as lines of "key: value": signal and pid, then
 * each register in hexadecimal under gdb's name. Returns 0, -EOPNOTSUPP for a machine other than
 * x86-64, i386 and AArch64, or -EBADMSG if the note is too short.
 */
int kvfs_vmcore_prstatus_write(const struct kvfs_elf_note *note, uint16_t machine, FILE *out);

#endif /* KVFS_VMCORE_PRSTATUS_H */
