// SPDX-License-Identifier: GPL-2.0-only
#include "elf/build.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define NOTE_ALIGN 4	/* of names and descriptors in the notes */

/* Bytes of a note, or 0 if it cannot be one. */
static size_t note_len(const struct kvfs_elf_new_note *note)
{
	uint64_t name_len, desc_len;

	if (note->desc_len > UINT32_MAX || note->name_len >= UINT32_MAX ||
	    !kvfs_align_up_u64(note->name_len + 1, NOTE_ALIGN, &name_len) ||
	    !kvfs_align_up_u64(note->desc_len, NOTE_ALIGN, &desc_len))
		return 0;
	return sizeof(Elf64_Nhdr) + name_len + desc_len;
}

/* Writes a note into zeroed memory. Returns the place after it. */
static char *put_note(char *at, const struct kvfs_elf_new_note *note)
{
	Elf64_Nhdr *nhdr = (Elf64_Nhdr *)at;
	size_t name_len = note->name_len + 1;
	size_t desc_off = sizeof(*nhdr) + (name_len + NOTE_ALIGN - 1) / NOTE_ALIGN * NOTE_ALIGN;

	nhdr->n_namesz = (Elf64_Word)name_len;
	nhdr->n_descsz = (Elf64_Word)note->desc_len;
	nhdr->n_type = note->type;
	memcpy(at + sizeof(*nhdr), note->name, note->name_len);
	if (note->desc_len)
		memcpy(at + desc_off, note->desc, note->desc_len);
	return at + note_len(note);
}

static void put_ehdr(Elf64_Ehdr *ehdr, size_t phnum)
{
	*ehdr = (Elf64_Ehdr){
		.e_type = ET_CORE,
		.e_machine = kvfs_elf_native_machine(),
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(*ehdr),
		.e_ehsize = sizeof(*ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)phnum,
	};
	memcpy(ehdr->e_ident, ELFMAG, SELFMAG);
	ehdr->e_ident[EI_CLASS] = ELFCLASS64;
	ehdr->e_ident[EI_DATA] = kvfs_elf_native_data();
	ehdr->e_ident[EI_VERSION] = EV_CURRENT;
	ehdr->e_ident[EI_OSABI] = ELFOSABI_NONE;
}

int kvfs_elf_build(const struct kvfs_segment *segs, size_t nr_segs,
		   const struct kvfs_elf_new_note *notes, size_t nr_notes,
		   size_t head_len, void **out)
{
	size_t phnum, notes_off, notes_len = 0;
	Elf64_Phdr *ph;
	char *head, *at;

	if (nr_segs >= PN_XNUM - 1 || (nr_segs + 1) * sizeof(*ph) > head_len)
		return -EFBIG;
	phnum = nr_segs + 1;
	notes_off = sizeof(Elf64_Ehdr) + phnum * sizeof(*ph);
	for (size_t i = 0; i < nr_notes; i++) {
		size_t len = note_len(&notes[i]);

		if (!len || len > head_len - notes_len)
			return -EFBIG;
		notes_len += len;
	}
	if (notes_off > head_len || notes_len > head_len - notes_off)
		return -EFBIG;
	head = calloc(1, head_len);
	if (!head)
		return -ENOMEM;

	put_ehdr((Elf64_Ehdr *)head, phnum);
	ph = (Elf64_Phdr *)(head + sizeof(Elf64_Ehdr));
	*ph++ = (Elf64_Phdr){
		.p_type = PT_NOTE, .p_offset = notes_off, .p_filesz = notes_len,
		.p_align = NOTE_ALIGN,
	};
	for (size_t i = 0; i < nr_segs; i++)
		*ph++ = (Elf64_Phdr){
			.p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X,
			.p_offset = segs[i].off, .p_filesz = segs[i].len,
			.p_memsz = segs[i].memsz, .p_vaddr = segs[i].vaddr,
			.p_paddr = segs[i].paddr,
		};
	at = (char *)ph;
	for (size_t i = 0; i < nr_notes; i++)
		at = put_note(at, &notes[i]);
	*out = head;
	return 0;
}
