// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>

#include "elf/notes.h"
#include "fuzz.h"
#include "vmcore/prstatus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t machines[] = { EM_X86_64, EM_386, EM_AARCH64, EM_S390 };
	struct kvfs_elf_note note;
	size_t pos = 0, before = 0, nr = 0;

	while (kvfs_elf_notes_next(data, size, &pos, &note)) {
		const uint8_t *desc = note.desc;

		fuzz_assert(pos > before && pos <= size);
		fuzz_assert(desc >= data && desc + note.desc_len <= data + size);
		fuzz_assert(memchr(note.name, 0, (size_t)((const char *)desc - note.name)));
		before = pos;
		nr += kvfs_elf_notes_is_prstatus(&note);
	}
	fuzz_assert(!kvfs_elf_notes_prstatus(data, size, nr, &note));
	if (nr && kvfs_elf_notes_prstatus(data, size, nr - 1, &note)) {
		for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
			char text[4096];
			FILE *out = fmemopen(text, sizeof(text), "w");

			fuzz_assert(out);
			kvfs_vmcore_prstatus_write(&note, machines[i], out);
			fclose(out);
		}
	}
	return 0;
}
