// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/prstatus.h"

#include <elf.h>
#include <errno.h>

#include "unit.h"

static unsigned char desc[336];

/* A struct elf_prstatus of x86-64 whose registers count up from first. */
static struct kvfs_elf_note make_note(int pid, uint64_t first)
{
	memset(desc, 0, sizeof(desc));
	desc[12] = 11;
	memcpy(desc + 32, &pid, sizeof(pid));
	for (uint64_t i = 0; i < 27; i++) {
		uint64_t value = first + i;

		memcpy(desc + 112 + 8 * i, &value, 8);
	}
	return (struct kvfs_elf_note){
		.name = "CORE", .type = NT_PRSTATUS, .desc = desc, .desc_len = sizeof(desc),
	};
}

START_TEST(registers_as_text)
{
	struct kvfs_elf_note note = make_note(200, 0xffffffff81000000);
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ck_assert_int_eq(kvfs_vmcore_prstatus_write(&note, EM_X86_64, out), 0);
	fclose(out);
	ck_assert(strncmp(text, "signal: 11\npid: 200\nr15: 0xffffffff81000000\n", 44) == 0);
	ck_assert_ptr_nonnull(strstr(text, "\nrip: 0xffffffff81000010\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nrsp: 0xffffffff81000013\n"));
	ck_assert_ptr_nonnull(strstr(text, "\ngs: 0xffffffff8100001a\n"));
	free(text);
}
END_TEST

START_TEST(machines_and_lengths)
{
	struct kvfs_elf_note note = make_note(100, 0x1000);

	ck_assert_int_eq(kvfs_vmcore_prstatus_write(&note, EM_S390, stderr), -EOPNOTSUPP);
	note.desc_len = 112 + 27 * 8 - 1;
	ck_assert_int_eq(kvfs_vmcore_prstatus_write(&note, EM_X86_64, stderr), -EBADMSG);
	note.desc_len = 0;
	ck_assert_int_eq(kvfs_vmcore_prstatus_write(&note, EM_AARCH64, stderr), -EBADMSG);
	ck_assert_int_eq(kvfs_vmcore_prstatus_write(&note, EM_386, stderr), -EBADMSG);
}
END_TEST

UNIT_MAIN("prstatus", registers_as_text, machines_and_lengths)
