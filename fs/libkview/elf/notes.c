// SPDX-License-Identifier: GPL-2.0-only
#include "elf/notes.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/vector.h"

/* Bytes to which descriptors and notes are aligned in a segment with this p_align. */
static uint64_t alignment(uint64_t p_align)
{
	return p_align == 8 ? 8 : 4;
}

int kvfs_elf_notes_add(struct kvfs_elf_notes *notes, const struct kvfs_elf_note_segment *segment)
{
	int ret = kvfs_vector_reserve(notes->v, notes->cap, notes->n + 1);

	if (ret < 0)
		return ret;
	notes->v[notes->n++] = *segment;
	notes->len += segment->len;
	return 0;
}

void kvfs_elf_notes_deinit(struct kvfs_elf_notes *notes)
{
	for (size_t i = 0; i < notes->n; i++)
		free(notes->v[i].bytes);
	free(notes->v);
	*notes = (struct kvfs_elf_notes){ 0 };
}

bool kvfs_elf_notes_next_in(const void *bytes, size_t len, uint64_t align, size_t *off,
			    struct kvfs_elf_note *out)
{
	Elf64_Nhdr nhdr;	/* the same for both classes */
	uint64_t desc, next;

	align = alignment(align);
	for (;; *off += align) {
		if (*off > len || len - *off < sizeof(nhdr)) {
			*off = len;
			return false;
		}
		memcpy(&nhdr, (const char *)bytes + *off, sizeof(nhdr));
		if (nhdr.n_namesz)
			break;
	}
	/* Sums of a size_t and two numbers of 32 bits: none can overflow, except at 2^64. */
	if (!kvfs_align_up_u64(*off + sizeof(nhdr) + nhdr.n_namesz, align, &desc) || desc > len ||
	    nhdr.n_descsz > len - desc)
		return false;
	*out = (struct kvfs_elf_note) {
		.name = (const char *)bytes + *off + sizeof(nhdr),
		.type = nhdr.n_type,
		.desc = (const char *)bytes + desc,
		.desc_len = nhdr.n_descsz,
	};
	/* Some writers do not count a NUL. */
	out->name_len = strnlen(out->name, nhdr.n_namesz);
	/* The last note may lack its padding. */
	if (!kvfs_align_up_u64(desc + nhdr.n_descsz, align, &next) || next > len)
		next = len;
	*off = next;
	return true;
}

bool kvfs_elf_notes_next(const struct kvfs_elf_notes *notes, struct kvfs_elf_notes_pos *pos,
			 struct kvfs_elf_note *out)
{
	for (; pos->segment < notes->n; pos->segment++, pos->off = 0) {
		const struct kvfs_elf_note_segment *s = &notes->v[pos->segment];

		if (kvfs_elf_notes_next_in(s->bytes, s->len, s->align, &pos->off, out))
			return true;
	}
	return false;
}

bool kvfs_elf_notes_malformed(const struct kvfs_elf_notes *notes, uint64_t *off)
{
	for (size_t i = 0; i < notes->n; i++) {
		const struct kvfs_elf_note_segment *s = &notes->v[i];
		struct kvfs_elf_note note;
		size_t at = 0;

		while (kvfs_elf_notes_next_in(s->bytes, s->len, s->align, &at, &note))
			;
		if (at < s->len) {
			*off = s->off + at;
			return true;
		}
	}
	return false;
}

bool kvfs_elf_notes_has_name(const struct kvfs_elf_note *note, const char *name)
{
	return note->name_len == strlen(name) && memcmp(note->name, name, note->name_len) == 0;
}

bool kvfs_elf_notes_is_prstatus(const struct kvfs_elf_note *note)
{
	return note->type == NT_PRSTATUS && kvfs_elf_notes_has_name(note, "CORE");
}

bool kvfs_elf_notes_prstatus(const struct kvfs_elf_notes *notes, size_t nr,
			     struct kvfs_elf_note *out)
{
	struct kvfs_elf_notes_pos pos = { 0 };

	while (kvfs_elf_notes_next(notes, &pos, out)) {
		if (kvfs_elf_notes_is_prstatus(out) && nr-- == 0)
			return true;
	}
	return false;
}

bool kvfs_elf_notes_vmcoreinfo(const struct kvfs_elf_notes *notes, struct kvfs_elf_note *out)
{
	struct kvfs_elf_notes_pos pos = { 0 };

	while (kvfs_elf_notes_next(notes, &pos, out)) {
		if (kvfs_elf_notes_has_name(out, "VMCOREINFO"))
			return true;
	}
	return false;
}
