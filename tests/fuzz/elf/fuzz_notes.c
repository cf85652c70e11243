// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>

#include "elf/notes.h"
#include "fuzz.h"
#include "vmcore/prstatus.h"

static void walk(const uint8_t *data, size_t size, uint64_t align)
{
	static const uint16_t machines[] = { EM_X86_64, EM_386, EM_AARCH64, EM_S390 };
	struct kvfs_elf_note_segment segment = { .bytes = (void *)data, .len = size, .align = align };
	const struct kvfs_elf_notes notes = { .v = &segment, .n = 1, .len = size };
	struct kvfs_elf_notes_pos pos = { 0 };
	struct kvfs_elf_note note;
	size_t before = 0, nr = 0;

	while (kvfs_elf_notes_next(&notes, &pos, &note)) {
		const uint8_t *name = (const uint8_t *)note.name, *desc = note.desc;

		fuzz_assert(pos.off > before && pos.off <= size);
		fuzz_assert(name >= data && name + note.name_len <= desc);
		fuzz_assert(desc + note.desc_len <= data + size);
		before = pos.off;
		nr += kvfs_elf_notes_is_prstatus(&note);
	}
	fuzz_assert(!kvfs_elf_notes_prstatus(&notes, nr, &note));
	if (nr && kvfs_elf_notes_prstatus(&notes, nr - 1, &note)) {
		for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
			char text[4096];
			FILE *out = fmemopen(text, sizeof(text), "w");

			fuzz_assert(out);
			kvfs_vmcore_prstatus_write(&note, machines[i], out);
			fclose(out);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk(data, size, 4);
	walk(data, size, 8);
	return 0;
}
