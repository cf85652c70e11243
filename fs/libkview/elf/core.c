// SPDX-License-Identifier: GPL-2.0-only
#include "elf/core.h"

#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

/* This program's own ELF header, put there by the linker: what "this machine" means. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

uint16_t kvfs_elf_native_machine(void)
{
	return __ehdr_start.e_machine;
}

uint8_t kvfs_elf_native_data(void)
{
	return __ehdr_start.e_ident[EI_DATA];
}

int kvfs_elf_init(struct kvfs_elf *core, uint16_t machine, uint8_t elfclass, size_t nr_phdrs)
{
	*core = (struct kvfs_elf){
		.segs = calloc(nr_phdrs ? nr_phdrs : 1, sizeof(*core->segs)),
		.machine = machine,
		.elfclass = elfclass,
	};
	return core->segs ? 0 : -ENOMEM;
}

void kvfs_elf_deinit(struct kvfs_elf *core)
{
	if (!core)
		return;
	free(core->segs);
	free(core->vmcoreinfo);
	kvfs_elf_notes_deinit(&core->notes);
	*core = (struct kvfs_elf){ 0 };
}

/* Judges a PT_LOAD; max_addr is the highest virtual address of the core's class. */
static int check_segment(const char *name, size_t index, const Elf64_Phdr *ph, uint64_t max_addr,
			 struct kvfs_err *err)
{
	uint64_t end;

	if (ph->p_filesz > ph->p_memsz)
		return kvfs_err_set(err, EBADMSG, "%s: segment %zu has more bytes in the file (0x%"
				    PRIx64 ") than in memory (0x%" PRIx64 ")", name, index,
				    ph->p_filesz, ph->p_memsz);
	if (!kvfs_add_u64(ph->p_offset, ph->p_filesz, &end) || end > INT64_MAX)
		return kvfs_err_set(err, EBADMSG, "%s: segment %zu claims 0x%" PRIx64
				    " bytes at offset 0x%" PRIx64 ", which no file can have",
				    name, index, ph->p_filesz, ph->p_offset);
	if (ph->p_vaddr > max_addr || ph->p_memsz - 1 > max_addr - ph->p_vaddr)
		return kvfs_err_set(err, EBADMSG, "%s: segment %zu claims 0x%" PRIx64
				    " bytes at virtual address 0x%" PRIx64 ", beyond the last one",
				    name, index, ph->p_memsz, ph->p_vaddr);
	if (ph->p_paddr != max_addr && ph->p_memsz - 1 > UINT64_MAX - ph->p_paddr)
		return kvfs_err_set(err, EBADMSG, "%s: segment %zu claims 0x%" PRIx64
				    " bytes at physical address 0x%" PRIx64 ", beyond the last one",
				    name, index, ph->p_memsz, ph->p_paddr);
	return 0;
}

int kvfs_elf_add_segment(struct kvfs_elf *core, const struct kvfs_elf_file *file, size_t index,
			 const Elf64_Phdr *ph, struct kvfs_err *err)
{
	/* A physical address of all ones means "not known" in either class. */
	uint64_t max_addr = core->elfclass == ELFCLASS64 ? UINT64_MAX : UINT32_MAX;
	struct kvfs_segment *s;
	int ret;

	if (ph->p_memsz == 0)
		return 0;
	ret = check_segment(file->name, index, ph, max_addr, err);
	if (ret < 0)
		return ret;
	s = &core->segs[core->nr_segs++];
	*s = (struct kvfs_segment){
		.off = ph->p_offset,
		.len = ph->p_filesz,
		.memsz = ph->p_memsz,
		.vaddr = ph->p_vaddr,
		.paddr = ph->p_paddr == max_addr ? KVFS_NO_PADDR : ph->p_paddr,
	};
	if (file->len && s->len && s->off + s->len > file->len) {
		s->len = file->len > s->off ? file->len - s->off : 0;
		if (!core->nr_cut++)
			core->first_cut = (struct kvfs_elf_cut){
				.index = index, .off = ph->p_offset, .len = ph->p_filesz,
			};
	}
	return 0;
}

int kvfs_elf_check_notes(const struct kvfs_elf *core, const struct kvfs_elf_file *file,
			 const Elf64_Phdr *ph, struct kvfs_err *err)
{
	if (ph->p_filesz > KVFS_ELF_HEAD_MAX - core->notes.len)
		return kvfs_err_set(err, EBADMSG, "%s claims 0x%" PRIx64 " bytes of notes", file->name,
				    ph->p_filesz);
	return 0;
}

int kvfs_elf_add_notes(struct kvfs_elf *core, const struct kvfs_elf_file *file,
		       const Elf64_Phdr *ph, void *bytes, struct kvfs_err *err)
{
	const struct kvfs_elf_note_segment segment = {
		.bytes = bytes, .len = ph->p_filesz, .align = ph->p_align, .off = ph->p_offset,
	};
	int ret = kvfs_elf_notes_add(&core->notes, &segment);

	if (ret == 0)
		return 0;
	free(bytes);
	return kvfs_err_sys(err, -ret, "cannot keep the notes of %s", file->name);
}

int kvfs_elf_find_vmcoreinfo(struct kvfs_elf *core, const struct kvfs_elf_file *file,
			     struct kvfs_err *err)
{
	struct kvfs_elf_note note;
	uint64_t off;

	if (!kvfs_elf_notes_vmcoreinfo(&core->notes, &note)) {
		if (kvfs_elf_notes_malformed(&core->notes, &off))
			return kvfs_err_set(err, EBADMSG, "%s: the note at byte 0x%" PRIx64
					    " runs beyond its segment", file->name, off);
		return 0;
	}
	core->vmcoreinfo = strndup(note.desc, note.desc_len);
	if (!core->vmcoreinfo)
		return kvfs_err_sys(err, ENOMEM, "cannot keep the VMCOREINFO of %s", file->name);
	core->vmcoreinfo_len = strlen(core->vmcoreinfo);
	return 0;
}
