// SPDX-License-Identifier: GPL-2.0-only
#include "elf/notes.h"

#include <elf.h>

#include "unit.h"

static unsigned char buf[4096];
static size_t used;

static void add_note(const char *name, uint32_t type, const void *desc, size_t len)
{
	Elf64_Nhdr nhdr = { (Elf64_Word)(strlen(name) + 1), (Elf64_Word)len, type };

	memcpy(buf + used, &nhdr, sizeof(nhdr));
	strcpy((char *)buf + used + sizeof(nhdr), name);
	used += sizeof(nhdr) + (nhdr.n_namesz + 3) / 4 * 4;
	memcpy(buf + used, desc, len);
	used += (len + 3) / 4 * 4;
}

/* A struct elf_prstatus of x86-64 whose registers count up from first. */
static void add_prstatus(int pid, uint64_t first)
{
	unsigned char desc[336] = { 0 };

	desc[12] = 11;
	memcpy(desc + 32, &pid, sizeof(pid));
	for (uint64_t i = 0; i < 27; i++) {
		uint64_t value = first + i;

		memcpy(desc + 112 + 8 * i, &value, 8);
	}
	add_note("CORE", NT_PRSTATUS, desc, sizeof(desc));
}

static void set_up(void)
{
	memset(buf, 0, sizeof(buf));
	used = 0;
	add_note("QEMU", 0, "1234567", 7);
	add_prstatus(100, 0x1000);
	add_note("CORE", NT_PRPSINFO, "x", 1);
	add_prstatus(200, 0xffffffff81000000);
	add_note("LINUX", NT_PRSTATUS, "not of CORE", 11);
	add_note("VMCOREINFO", 0, "OSRELEASE=6\n", 12);
}

START_TEST(test_list)
{
	static const char *const names[] = { "QEMU", "CORE", "CORE", "CORE", "LINUX", "VMCOREINFO" };
	struct kvfs_elf_note note;
	size_t pos = 0;

	set_up();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert(kvfs_elf_notes_next(buf, sizeof(buf), &pos, &note));
		ck_assert_str_eq(note.name, names[i]);
	}
	/* Zeros follow. */
	ck_assert(!kvfs_elf_notes_next(buf, sizeof(buf), &pos, &note));
	ck_assert(kvfs_elf_notes_vmcoreinfo(buf, used, &note));
	ck_assert_uint_eq(note.desc_len, 12);
	ck_assert(kvfs_elf_notes_prstatus(buf, used, 1, &note));
	ck_assert(!kvfs_elf_notes_prstatus(buf, used, 2, &note));
	ck_assert(!kvfs_elf_notes_prstatus(NULL, 0, 0, &note));
}
END_TEST

/* Cut at every byte: notes that are whole are found, others never, and nothing is read behind. */
START_TEST(test_cut)
{
	size_t before = 0;

	set_up();
	for (size_t len = 0; len <= used; len++) {
		unsigned char *copy = malloc(len + 1);
		struct kvfs_elf_note note;
		size_t pos = 0, n = 0;

		memcpy(copy, buf, len);
		while (kvfs_elf_notes_next(copy, len, &pos, &note)) {
			ck_assert((const unsigned char *)note.desc + note.desc_len <= copy + len);
			ck_assert_uint_le(pos, len);
			n++;
		}
		ck_assert_uint_ge(n, before);
		before = n;
		free(copy);
	}
	ck_assert_uint_eq(before, 6);
}
END_TEST

START_TEST(test_hostile)
{
	static const Elf64_Nhdr cases[] = {
		{ 0, 4, 1 }, { 0xffffffff, 4, 1 }, { 0xfffffffd, 0xfffffffd, 1 }, { 5, 0xffffffff, 1 },
		{ 5, 0xfffffffd, 1 }, { 4000, 0, 1 },
	};
	struct kvfs_elf_note note;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t pos = 0;

		memset(buf, 'A', sizeof(buf));
		memcpy(buf, &cases[i], sizeof(cases[i]));
		ck_assert_msg(!kvfs_elf_notes_next(buf, 1024, &pos, &note), "%zu", i);
	}
}
END_TEST

UNIT_MAIN("notes", test_list, test_cut, test_hostile)
