/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The notes of an ELF core, and the one way to walk them. Pure; nothing in them is trusted.
 *
 * Alignment. A note is a header of 12 bytes, a name, a descriptor. The descriptor and the next
 * note begin at multiples of 8 bytes from the start of their segment if its p_align is 8, and
 * of 4 bytes otherwise. The gABI asks for 8 in 64-bit objects, but Linux writes 4 and says so
 * with a p_align of 4, or 0 before 6.5 (60592fb6b67c "coredump, vmcore: Set p_align to 4 for
 * PT_NOTE"). binutils and elfutils follow p_align in the same way; the kernel does for
 * NT_GNU_PROPERTY_TYPE_0, which comes with 8 (parse_elf_properties(), 6.12).
 *
 * Padding. The kernel gives each CPU an area of fixed size and fills up with zeros what its
 * notes leave. A header whose n_namesz is 0 is taken for such padding, as
 * update_note_header_size_elf64() (6.12) does.
 */
#ifndef KVFS_ELF_NOTES_H
#define KVFS_ELF_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One note. What it points to is in the bytes that it was found in. */
struct kvfs_elf_note {
	const char *name;	/* not NUL-terminated */
	size_t name_len;	/* bytes, at least 1, without a NUL */
	uint32_t type;
	const void *desc;
	size_t desc_len;	/* bytes */
};

/* The bytes of a PT_NOTE. */
struct kvfs_elf_note_segment {
	void *bytes;
	size_t len;
	uint64_t align;		/* p_align */
	uint64_t off;		/* of bytes in the file; for messages */
};

/* All PT_NOTEs of a core in the order of the file. Zeroed: none. */
struct kvfs_elf_notes {
	struct kvfs_elf_note_segment *v;
	size_t n, cap;
	size_t len;		/* bytes of all of them */
};

/* A place in struct kvfs_elf_notes. Zeroed: before the first note. */
struct kvfs_elf_notes_pos {
	size_t segment;
	size_t off;		/* bytes */
};

/* Adds a copy of *segment, whose bytes it consumes on success. Returns 0 or -ENOMEM. */
int kvfs_elf_notes_add(struct kvfs_elf_notes *notes, const struct kvfs_elf_note_segment *segment);

/* Frees the segments and their bytes. Zeroed notes are allowed. */
void kvfs_elf_notes_deinit(struct kvfs_elf_notes *notes);

/*
 * The next note of [bytes, bytes + len) at or after *off, which then moves to its end. Returns
 * false where no whole note follows; *off is then len, or where a note begins that runs beyond
 * the end. bytes may be NULL if len is 0.
 */
bool kvfs_elf_notes_next_in(const void *bytes, size_t len, uint64_t align, size_t *off,
			    struct kvfs_elf_note *out);

/* The next note of all segments; what follows a malformed note in its segment is left out. */
bool kvfs_elf_notes_next(const struct kvfs_elf_notes *notes, struct kvfs_elf_notes_pos *pos,
			 struct kvfs_elf_note *out);

/* Finds a note that runs beyond the end of its segment; *off is where it begins in the file. */
bool kvfs_elf_notes_malformed(const struct kvfs_elf_notes *notes, uint64_t *off);

bool kvfs_elf_notes_has_name(const struct kvfs_elf_note *note, const char *name);

/* Whether it is an NT_PRSTATUS, the registers of a CPU. */
bool kvfs_elf_notes_is_prstatus(const struct kvfs_elf_note *note);

/*
 * The nr-th NT_PRSTATUS note, from 0: the kernel writes one for each CPU that was online when
 * it crashed, in ascending order. False if there are not so many.
 */
bool kvfs_elf_notes_prstatus(const struct kvfs_elf_notes *notes, size_t nr,
			     struct kvfs_elf_note *out);

/* The text of the first VMCOREINFO note; false if there is none. */
bool kvfs_elf_notes_vmcoreinfo(const struct kvfs_elf_notes *notes, struct kvfs_elf_note *out);

#endif /* KVFS_ELF_NOTES_H */
