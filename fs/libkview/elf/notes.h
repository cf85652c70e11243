/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The notes of a crash dump: who is in them, and the registers of each CPU as text. Pure.
 * Nothing in them is trusted.
 */
#ifndef KVFS_ELF_NOTES_H
#define KVFS_ELF_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One ELF note. What it points to is in the buffer that it was found in. */
struct kvfs_elf_note {
	const char *name;	/* NUL-terminated */
	uint32_t type;
	const void *desc;
	size_t desc_len;	/* bytes */
};

/*
 * The note at *pos of [notes, notes + len), where each part is padded to 4 bytes (as the
 * kernel, QEMU and makedumpfile do). *pos moves to the next one; 0 for the first. Returns
 * false at the end, and where no whole note with a name follows.
 */
bool kvfs_elf_notes_next(const void *notes, size_t len, size_t *pos, struct kvfs_elf_note *out);

/* Whether it is an NT_PRSTATUS, the registers of a CPU. */
bool kvfs_elf_notes_is_prstatus(const struct kvfs_elf_note *note);

/*
 * The nr-th NT_PRSTATUS note, from 0: the kernel writes one for each CPU that was online when
 * it crashed, in ascending order. False if there are not so many.
 */
bool kvfs_elf_notes_prstatus(const void *notes, size_t len, size_t nr, struct kvfs_elf_note *out);

/* The text of the VMCOREINFO note; false if there is none. */
bool kvfs_elf_notes_vmcoreinfo(const void *notes, size_t len, struct kvfs_elf_note *out);

/*
 * Writes an NT_PRSTATUS of machine (e_machine) as lines of "key: value": signal and pid, then
 * each register in hexadecimal under the name that gdb has for it. Returns 0, -EOPNOTSUPP for
 * a machine whose layout is not known (x86-64, i386 and AArch64 are), -EBADMSG if it is too
 * short.
 */
int kvfs_prstatus_write(const struct kvfs_elf_note *note, uint16_t machine, FILE *out);

#endif /* KVFS_ELF_NOTES_H */
