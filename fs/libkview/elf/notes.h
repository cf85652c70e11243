/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The notes of an ELF core. Pure. Nothing in them is trusted.
 */
#ifndef KVFS_ELF_NOTES_H
#define KVFS_ELF_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif /* KVFS_ELF_NOTES_H */
