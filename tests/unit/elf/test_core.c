// SPDX-License-Identifier: GPL-2.0-only
#include "elf/core.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"

#define NR_PHDRS 8

/* Of 1 MiB; and one whose length is not known. */
static const struct kvfs_elf_file file = { .name = "the-file", .len = 1 << 20 };
static const struct kvfs_elf_file endless = { .name = "the-file" };

static struct kvfs_elf make(uint8_t elfclass)
{
	struct kvfs_elf core;

	ck_assert_int_eq(kvfs_elf_init(&core, EM_X86_64, elfclass, NR_PHDRS), 0);
	return core;
}

START_TEST(segments)
{
	const Elf64_Phdr whole = { .p_offset = 0x1000, .p_filesz = 0x1000, .p_memsz = 0x2000,
				   .p_vaddr = 0xffffffff81000000, .p_paddr = 0x1000000 };
	const Elf64_Phdr empty = { .p_vaddr = 77 };
	const Elf64_Phdr nowhere = { .p_memsz = 0x1000, .p_paddr = UINT64_MAX };
	struct kvfs_elf core = make(ELFCLASS64);

	ck_assert_int_eq(kvfs_elf_add_segment(&core, &file, 0, &whole, NULL), 0);
	ck_assert_int_eq(kvfs_elf_add_segment(&core, &file, 1, &empty, NULL), 0);
	ck_assert_int_eq(kvfs_elf_add_segment(&core, &file, 2, &nowhere, NULL), 0);
	ck_assert_uint_eq(core.nr_segs, 2);
	ck_assert_uint_eq(core.segs[0].off, 0x1000);
	ck_assert_uint_eq(core.segs[0].len, 0x1000);
	ck_assert_uint_eq(core.segs[0].memsz, 0x2000);
	ck_assert_uint_eq(core.segs[0].vaddr, 0xffffffff81000000);
	ck_assert_uint_eq(core.segs[0].paddr, 0x1000000);
	ck_assert_uint_eq(core.segs[1].paddr, KVFS_NO_PADDR);
	ck_assert_uint_eq(core.nr_cut, 0);
	kvfs_elf_deinit(&core);
}
END_TEST

START_TEST(segments_are_cut_at_the_end_of_the_file)
{
	const Elf64_Phdr over = { .p_offset = 0xff000, .p_filesz = 0x2000, .p_memsz = 0x2000 };
	const Elf64_Phdr beyond = { .p_offset = 0x200000, .p_filesz = 1, .p_memsz = 1 };
	struct kvfs_elf core = make(ELFCLASS64);

	ck_assert_int_eq(kvfs_elf_add_segment(&core, &file, 3, &over, NULL), 0);
	ck_assert_int_eq(kvfs_elf_add_segment(&core, &file, 4, &beyond, NULL), 0);
	ck_assert_int_eq(kvfs_elf_add_segment(&core, &endless, 5, &over, NULL), 0);
	ck_assert_uint_eq(core.nr_cut, 2);
	ck_assert_uint_eq(core.first_cut.index, 3);
	ck_assert_uint_eq(core.first_cut.len, 0x2000);
	ck_assert_uint_eq(core.segs[0].len, 0x1000);
	ck_assert_uint_eq(core.segs[0].memsz, 0x2000);
	ck_assert_uint_eq(core.segs[1].len, 0);
	ck_assert_uint_eq(core.segs[2].len, 0x2000);
	kvfs_elf_deinit(&core);
}
END_TEST

START_TEST(classes)
{
	const Elf64_Phdr last = { .p_memsz = 0x1000, .p_vaddr = 0xfffff000, .p_paddr = UINT32_MAX };
	const Elf64_Phdr above = { .p_memsz = 0x1001, .p_vaddr = 0xfffff000 };
	struct kvfs_elf core = make(ELFCLASS32);
	struct kvfs_err err = { 0 };
	int ret;

	/* All ones of either class mean that the physical address is not known. */
	ck_assert_int_eq(kvfs_elf_add_segment(&core, &file, 0, &last, &err), 0);
	ck_assert_uint_eq(core.segs[0].paddr, KVFS_NO_PADDR);
	ret = kvfs_elf_add_segment(&core, &file, 1, &above, &err);
	unit_assert_error(ret, EBADMSG, err, "the-file: segment 1 claims 0x1001 bytes at virtual address");
	ck_assert_uint_eq(core.nr_segs, 1);
	kvfs_elf_deinit(&core);
	core = make(ELFCLASS64);
	ck_assert_int_eq(kvfs_elf_add_segment(&core, &file, 0, &last, &err), 0);
	ck_assert_int_eq(kvfs_elf_add_segment(&core, &file, 1, &above, &err), 0);
	ck_assert_uint_eq(core.segs[0].paddr, UINT32_MAX);
	kvfs_elf_deinit(&core);
}
END_TEST

START_TEST(limit_on_notes)
{
	struct kvfs_elf core = make(ELFCLASS64);
	struct kvfs_err err = { 0 };
	Elf64_Phdr ph = { .p_filesz = KVFS_ELF_HEAD_MAX };
	int ret;

	ck_assert_int_eq(kvfs_elf_check_notes(&core, &file, &ph, &err), 0);
	ph.p_filesz++;
	ret = kvfs_elf_check_notes(&core, &file, &ph, &err);
	unit_assert_error(ret, EBADMSG, err, "claims 0x1000001 bytes of notes");
	/* Of all of them together. */
	ph.p_filesz = 1;
	ck_assert_int_eq(kvfs_elf_add_notes(&core, &file, &ph, calloc(1, 1), &err), 0);
	ph.p_filesz = KVFS_ELF_HEAD_MAX - 1;
	ck_assert_int_eq(kvfs_elf_check_notes(&core, &file, &ph, &err), 0);
	ph.p_filesz++;
	ret = kvfs_elf_check_notes(&core, &file, &ph, &err);
	unit_assert_error(ret, EBADMSG, err, "bytes of notes");
	kvfs_elf_deinit(&core);
}
END_TEST

START_TEST(vmcoreinfo)
{
	static const char note[] = "\v\0\0\0" "\4\0\0\0" "\0\0\0\0" "VMCOREINFO\0\0" "A=1";
	const Elf64_Phdr ph = { .p_filesz = sizeof(note) }, cut = { .p_filesz = 20, .p_offset = 0x700 };
	struct kvfs_elf core = make(ELFCLASS64);
	struct kvfs_err err = { 0 };
	void *bytes = malloc(sizeof(note));
	int ret;

	ck_assert_int_eq(kvfs_elf_find_vmcoreinfo(&core, &file, &err), 0);
	ck_assert_ptr_null(core.vmcoreinfo);
	memcpy(bytes, note, sizeof(note));
	ck_assert_int_eq(kvfs_elf_add_notes(&core, &file, &cut, bytes, &err), 0);
	ret = kvfs_elf_find_vmcoreinfo(&core, &file, &err);
	unit_assert_error(ret, EBADMSG, err, "the-file: the note at byte 0x700 runs beyond its segment");
	bytes = malloc(sizeof(note));
	memcpy(bytes, note, sizeof(note));
	ck_assert_int_eq(kvfs_elf_add_notes(&core, &file, &ph, bytes, &err), 0);
	failalloc_try_all(ret, ret = kvfs_elf_find_vmcoreinfo(&core, &file, &err));
	ck_assert_str_eq(core.vmcoreinfo, "A=1");
	ck_assert_uint_eq(core.vmcoreinfo_len, 3);
	kvfs_elf_deinit(&core);
	kvfs_elf_deinit(&core);
}
END_TEST

/* Bytes are consumed on failure, too: a leak would fail this test. */
START_TEST(out_of_memory)
{
	const Elf64_Phdr ph = { .p_filesz = 1 };
	struct kvfs_elf core;
	struct kvfs_err err = { 0 };
	void *bytes;
	int ret;

	failalloc_try_all(ret, ret = kvfs_elf_init(&core, EM_X86_64, ELFCLASS64, NR_PHDRS));
	bytes = malloc(1);
	failalloc_arm(0);
	ret = kvfs_elf_add_notes(&core, &file, &ph, bytes, &err);
	ck_assert(failalloc_happened());
	unit_assert_error(ret, ENOMEM, err, "cannot keep the notes of the-file");
	ck_assert_uint_eq(core.notes.n, 0);
	kvfs_elf_deinit(&core);
}
END_TEST

UNIT_MAIN("core", segments, segments_are_cut_at_the_end_of_the_file, classes, limit_on_notes, vmcoreinfo,
	  out_of_memory)
