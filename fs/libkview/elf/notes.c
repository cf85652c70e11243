// SPDX-License-Identifier: GPL-2.0-only
#include "elf/notes.h"

#include <elf.h>
#include <string.h>

#define NOTE_ALIGN 4

static size_t padded(size_t len)
{
	return (len + NOTE_ALIGN - 1) / NOTE_ALIGN * NOTE_ALIGN;
}

bool kvfs_elf_notes_next(const void *notes, size_t len, size_t *pos, struct kvfs_elf_note *out)
{
	const char *at;
	size_t left = *pos < len ? len - *pos : 0;
	size_t name_len, desc_len;
	Elf64_Nhdr nhdr;	/* the same for both classes */

	if (left < sizeof(nhdr))	/* notes may be NULL, too */
		return false;
	at = (const char *)notes + *pos;
	memcpy(&nhdr, at, sizeof(nhdr));
	at += sizeof(nhdr);
	left -= sizeof(nhdr);
	/* Zeros behind the last note; and nothing that is looked for here is nameless. */
	if (nhdr.n_namesz == 0 || nhdr.n_namesz > left || at[nhdr.n_namesz - 1] != '\0')
		return false;
	name_len = padded(nhdr.n_namesz);
	if (name_len > left || nhdr.n_descsz > left - name_len)
		return false;
	*out = (struct kvfs_elf_note) {
		.name = at,
		.type = nhdr.n_type,
		.desc = at + name_len,
		.desc_len = nhdr.n_descsz,
	};
	desc_len = padded(nhdr.n_descsz);
	if (desc_len > left - name_len)		/* the last one may lack its padding */
		desc_len = left - name_len;
	*pos += sizeof(nhdr) + name_len + desc_len;
	return true;
}

bool kvfs_elf_notes_is_prstatus(const struct kvfs_elf_note *note)
{
	return note->type == NT_PRSTATUS && strcmp(note->name, "CORE") == 0;
}

bool kvfs_elf_notes_prstatus(const void *notes, size_t len, size_t nr, struct kvfs_elf_note *out)
{
	size_t pos = 0;

	while (kvfs_elf_notes_next(notes, len, &pos, out)) {
		if (kvfs_elf_notes_is_prstatus(out) && nr-- == 0)
			return true;
	}
	return false;
}

bool kvfs_elf_notes_vmcoreinfo(const void *notes, size_t len, struct kvfs_elf_note *out)
{
	size_t pos = 0;

	while (kvfs_elf_notes_next(notes, len, &pos, out)) {
		if (strcmp(out->name, "VMCOREINFO") == 0)
			return true;
	}
	return false;
}
