// SPDX-License-Identifier: GPL-2.0-only
#include "elf/build.h"

#include <elf.h>
#include <errno.h>

#include "elf/load.h"
#include "failalloc.h"
#include "unit.h"

static const struct kvfs_segment segs[] = {
	{ .off = 0x200000, .len = 0x1000, .memsz = 0x2000, .vaddr = 0xffffffff81000000,
	  .paddr = 0x1000000 },
	{ .off = 0x40001000, .len = 0x9f000, .memsz = 0x9f000, .vaddr = 0xffff888000001000,
	  .paddr = KVFS_NO_PADDR },
};

static const struct kvfs_elf_new_note notes[] = {
	{ .name = "VMCOREINFO", .name_len = 10, .desc = "A=1\nB=2\nC", .desc_len = 9 },
	{ .name = "CORE and more", .name_len = 4, .type = 7 },
};

START_TEST(what_is_written_can_be_read)
{
	struct kvfs_elf core;
	struct kvfs_err err = { 0 };
	void *head;
	int fd;

	ck_assert_int_eq(kvfs_elf_build(segs, 2, notes, 2, 32768, &head), 0);
	fd = unit_file(head, 32768);
	ck_assert_msg(!kvfs_elf_load(fd, "x", 0, &core, &err), "%s", err.msg);
	ck_assert_uint_eq(core.nr_segs, 2);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(core.segs[i].off, segs[i].off);
		ck_assert_uint_eq(core.segs[i].len, segs[i].len);
		ck_assert_uint_eq(core.segs[i].memsz, segs[i].memsz);
		ck_assert_uint_eq(core.segs[i].vaddr, segs[i].vaddr);
		ck_assert_uint_eq(core.segs[i].paddr, segs[i].paddr);
	}
	ck_assert_str_eq(core.vmcoreinfo, "A=1\nB=2\nC");
	ck_assert_uint_eq(core.machine, kvfs_elf_native_machine());
	ck_assert_uint_eq(core.elfclass, ELFCLASS64);
	kvfs_elf_deinit(&core);
	close(fd);
	free(head);
}
END_TEST

START_TEST(the_first_program_header_is_the_notes)
{
	static const size_t notes_len[] = { 0, 12 + 12 + 12, 36 + 12 + 8 };
	Elf64_Phdr ph;
	char *at;
	void *head;

	for (size_t nr_notes = 0; nr_notes <= 2; nr_notes++) {
		ck_assert_int_eq(kvfs_elf_build(segs, 2, notes, nr_notes, 32768, &head), 0);
		memcpy(&ph, (char *)head + sizeof(Elf64_Ehdr), sizeof(ph));
		ck_assert_uint_eq(ph.p_type, PT_NOTE);
		ck_assert_uint_eq(ph.p_offset, sizeof(Elf64_Ehdr) + 3 * sizeof(ph));
		ck_assert_uint_eq(ph.p_filesz, notes_len[nr_notes]);
		at = (char *)head + ph.p_offset + ph.p_filesz;
		for (; at < (char *)head + 32768; at++)
			ck_assert_msg(!*at, "no zero after the notes");
		free(head);
	}
}
END_TEST

START_TEST(what_fits_and_what_does_not)
{
	size_t exact = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr) + 56;
	static struct kvfs_segment many[600];
	struct kvfs_elf_new_note big = notes[0];
	void *head = NULL;

	ck_assert_int_eq(kvfs_elf_build(segs, 2, notes, 2, exact, &head), 0);
	free(head);
	head = NULL;
	ck_assert_int_eq(kvfs_elf_build(segs, 2, notes, 2, exact - 1, &head), -EFBIG);
	ck_assert_int_eq(kvfs_elf_build(segs, 2, NULL, 0, 100, &head), -EFBIG);
	ck_assert_int_eq(kvfs_elf_build(NULL, 0, NULL, 0, 10, &head), -EFBIG);
	big.desc_len = SIZE_MAX;
	ck_assert_int_eq(kvfs_elf_build(segs, 2, &big, 1, 32768, &head), -EFBIG);
	big.desc_len = UINT32_MAX;
	ck_assert_int_eq(kvfs_elf_build(segs, 2, &big, 1, 32768, &head), -EFBIG);
	ck_assert_int_eq(kvfs_elf_build(many, 583, NULL, 0, 32768, &head), 0);
	free(head);
	head = NULL;
	ck_assert_int_eq(kvfs_elf_build(many, 584, NULL, 0, 32768, &head), -EFBIG);
	ck_assert_int_eq(kvfs_elf_build(many, PN_XNUM, NULL, 0, 1 << 30, &head), -EFBIG);
	ck_assert_ptr_null(head);
}
END_TEST

START_TEST(without_memory)
{
	void *head;
	int ret;

	failalloc_try_all(ret, ret = kvfs_elf_build(segs, 2, notes, 2, 32768, &head));
	ck_assert_int_eq(ret, 0);
	free(head);
}
END_TEST

UNIT_MAIN("build", what_is_written_can_be_read, the_first_program_header_is_the_notes,
	  what_fits_and_what_does_not, without_memory)
