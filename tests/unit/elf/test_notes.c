// SPDX-License-Identifier: GPL-2.0-only
#include "elf/notes.h"

#include <elf.h>
#include <errno.h>

#include "failalloc.h"
#include "unit.h"

static unsigned char buf[4096];
static size_t used;
static size_t align_to;		/* bytes; of what add_note() writes */

static size_t padded(size_t len)
{
	return (len + align_to - 1) / align_to * align_to;
}

/* The gABI's layout: descriptor and next note at multiples of the alignment. */
static void add_raw(const char *name, size_t name_len, uint32_t type, const void *desc, size_t len)
{
	Elf64_Nhdr nhdr = { (Elf64_Word)name_len, (Elf64_Word)len, type };

	memcpy(buf + used, &nhdr, sizeof(nhdr));
	memcpy(buf + used + sizeof(nhdr), name, name_len);
	used = padded(used + sizeof(nhdr) + name_len);
	memcpy(buf + used, desc, len);
	used = padded(used + len);
}

static void add_note(const char *name, uint32_t type, const void *desc, size_t len)
{
	add_raw(name, strlen(name) + 1, type, desc, len);
}

/* A struct elf_prstatus of x86-64 with this pid. */
static void add_prstatus(int pid)
{
	unsigned char desc[336] = { 0 };

	memcpy(desc + 32, &pid, sizeof(pid));
	add_note("CORE", NT_PRSTATUS, desc, sizeof(desc));
}

static int pid_of(const struct kvfs_elf_note *note)
{
	int pid;

	ck_assert_uint_eq(note->desc_len, 336);
	memcpy(&pid, (const char *)note->desc + 32, sizeof(pid));
	return pid;
}

static void clear(size_t align)
{
	memset(buf, 0, sizeof(buf));
	used = 0;
	align_to = align;
}

static void set_up(size_t align)
{
	clear(align);
	add_note("QEMU", 0, "1234567", 7);
	add_prstatus(100);
	add_note("CORE", NT_PRPSINFO, "x", 1);
	add_prstatus(200);
	add_note("LINUX", NT_PRSTATUS, "not of CORE", 11);
	add_note("VMCOREINFO", 0, "OSRELEASE=6\n", 12);
}

/* buf as the only segment. */
static struct kvfs_elf_note_segment segment;
static const struct kvfs_elf_notes *as_notes(size_t len, uint64_t p_align)
{
	static struct kvfs_elf_notes notes;

	segment = (struct kvfs_elf_note_segment){
		.bytes = buf, .len = len, .align = p_align, .off = 0x1000,
	};
	notes = (struct kvfs_elf_notes){ .v = &segment, .n = 1, .len = len };
	return &notes;
}

static void check_all(size_t align, uint64_t p_align)
{
	static const char *const names[] = { "QEMU", "CORE", "CORE", "CORE", "LINUX", "VMCOREINFO" };
	const struct kvfs_elf_notes *notes;
	struct kvfs_elf_notes_pos pos = { 0 };
	struct kvfs_elf_note note;
	uint64_t off;

	set_up(align);
	notes = as_notes(sizeof(buf), p_align);	/* with zeros at the end */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert(kvfs_elf_notes_next(notes, &pos, &note));
		ck_assert_msg(kvfs_elf_notes_has_name(&note, names[i]), "%zu", i);
	}
	ck_assert(!kvfs_elf_notes_next(notes, &pos, &note));
	ck_assert(kvfs_elf_notes_vmcoreinfo(notes, &note));
	ck_assert_uint_eq(note.desc_len, 12);
	ck_assert(memcmp(note.desc, "OSRELEASE=6\n", 12) == 0);
	ck_assert(kvfs_elf_notes_prstatus(notes, 0, &note));
	ck_assert_int_eq(pid_of(&note), 100);
	ck_assert(kvfs_elf_notes_prstatus(notes, 1, &note));
	ck_assert_int_eq(pid_of(&note), 200);
	ck_assert(!kvfs_elf_notes_prstatus(notes, 2, &note));
	ck_assert(!kvfs_elf_notes_malformed(notes, &off));
}

/* p_align 8 means 8; 4, 0, 1 and what no note can have mean 4. */
START_TEST(alignments)
{
	check_all(4, 4);
	check_all(4, 0);
	check_all(4, 1);
	check_all(4, 4096);
	check_all(8, 8);
}
END_TEST

START_TEST(no_notes)
{
	static const struct kvfs_elf_notes none;
	struct kvfs_elf_note note;
	size_t off = 0;

	ck_assert(!kvfs_elf_notes_prstatus(&none, 0, &note));
	ck_assert(!kvfs_elf_notes_vmcoreinfo(&none, &note));
	ck_assert(!kvfs_elf_notes_next_in(NULL, 0, 4, &off, &note));
	off = 77;
	ck_assert(!kvfs_elf_notes_next_in(buf, 12, 4, &off, &note));
	ck_assert_uint_eq(off, 12);
}
END_TEST

/* An area for each CPU, not all of it used; and a header more that says nothing. */
START_TEST(zeros_between)
{
	for (size_t align = 4; align <= 8; align += 4) {
		for (size_t gap = 0; gap <= 128; gap += align) {
			const struct kvfs_elf_notes *notes;
			struct kvfs_elf_note note;

			clear(align);
			used += gap;
			add_prstatus(1);
			used += gap;
			add_prstatus(2);
			used += gap;
			add_note("VMCOREINFO", 0, "A=1", 3);
			notes = as_notes(used + gap, align);
			ck_assert(kvfs_elf_notes_prstatus(notes, 1, &note));
			ck_assert_int_eq(pid_of(&note), 2);
			ck_assert(kvfs_elf_notes_vmcoreinfo(notes, &note));
		}
	}
}
END_TEST

START_TEST(names)
{
	const struct kvfs_elf_notes *notes;
	struct kvfs_elf_notes_pos pos = { 0 };
	struct kvfs_elf_note note;

	clear(4);
	add_raw("CORE", 4, NT_PRSTATUS, "1", 1);	/* without a NUL */
	add_raw("CORE\0more", 9, NT_PRSTATUS, "2", 1);
	add_raw("COREX", 5, NT_PRSTATUS, "3", 1);
	add_raw("COR", 4, NT_PRSTATUS, "4", 1);
	add_raw("", 1, NT_PRSTATUS, "5", 1);
	add_raw("CORE", 5, NT_PRFPREG, "6", 1);
	notes = as_notes(used, 4);
	for (size_t i = 0; i < 6; i++) {
		ck_assert(kvfs_elf_notes_next(notes, &pos, &note));
		ck_assert_msg(kvfs_elf_notes_is_prstatus(&note) == (i < 2), "%zu", i);
		ck_assert_uint_eq(*(const char *)note.desc, '1' + i);
	}
	ck_assert(!kvfs_elf_notes_next(notes, &pos, &note));
}
END_TEST

/* Cut at every byte: notes that are whole are found, others never, and nothing is read beyond. */
START_TEST(cut)
{
	for (size_t align = 4; align <= 8; align += 4) {
		size_t before = 0;

		set_up(align);
		for (size_t len = 0; len <= used; len++) {
			unsigned char *copy = malloc(len + 1);
			struct kvfs_elf_note note;
			size_t off = 0, n = 0;

			memcpy(copy, buf, len);
			while (kvfs_elf_notes_next_in(copy, len, align, &off, &note)) {
				ck_assert((const unsigned char *)note.desc + note.desc_len <= copy + len);
				ck_assert_uint_le(off, len);
				n++;
			}
			ck_assert_uint_ge(n, before);
			before = n;
			free(copy);
		}
		ck_assert_uint_eq(before, 6);
	}
}
END_TEST

START_TEST(malformed)
{
	static const Elf64_Nhdr cases[] = {
		{ 0xffffffff, 4, 1 }, { 0xfffffffd, 0xfffffffd, 1 }, { 5, 0xffffffff, 1 },
		{ 5, 0xfffffffd, 1 }, { 4000, 0, 1 }, { 1013, 0, 1 }, { 4, 1009, 1 },
	};

	for (size_t align = 4; align <= 8; align += 4) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			const struct kvfs_elf_notes *notes;
			struct kvfs_elf_notes_pos pos = { 0 };
			struct kvfs_elf_note note;
			uint64_t off = 0;

			memset(buf, 'A', sizeof(buf));
			memset(buf, 0, 16);
			memcpy(buf + 16, &cases[i], sizeof(cases[i]));
			notes = as_notes(16 + 1024, align);
			ck_assert_msg(!kvfs_elf_notes_next(notes, &pos, &note), "%zu", i);
			ck_assert(kvfs_elf_notes_malformed(notes, &off));
			ck_assert_uint_eq(off, 0x1010);
		}
	}
}
END_TEST

static struct kvfs_elf_note_segment copy_of_buf(uint64_t p_align)
{
	void *bytes = malloc(used);

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, buf, used);
	return (struct kvfs_elf_note_segment){ .bytes = bytes, .len = used, .align = p_align };
}

/* Each segment has its own alignment, and a malformed one does not hide those that follow. */
START_TEST(several_segments)
{
	struct kvfs_elf_notes notes = { 0 };
	struct kvfs_elf_notes_pos pos = { 0 };
	struct kvfs_elf_note note;
	size_t len = 0, nr = 0;
	uint64_t off;

	for (int i = 0; i < 9; i++) {
		struct kvfs_elf_note_segment s;

		clear(i % 2 ? 8 : 4);
		add_prstatus(i);
		if (i == 4)
			add_raw("X", 2, 1, "beyond", 6);
		s = copy_of_buf(align_to);
		if (i == 4)
			s.len = used - 9;
		len += s.len;
		ck_assert_int_eq(kvfs_elf_notes_add(&notes, &s), 0);
	}
	ck_assert_uint_eq(notes.n, 9);
	ck_assert_uint_eq(notes.len, len);
	while (kvfs_elf_notes_next(&notes, &pos, &note))
		ck_assert_int_eq(pid_of(&note), (int)nr++);
	ck_assert_uint_eq(nr, 9);
	ck_assert(kvfs_elf_notes_malformed(&notes, &off));
	kvfs_elf_notes_deinit(&notes);
	ck_assert_uint_eq(notes.n, 0);
	kvfs_elf_notes_deinit(&notes);
}
END_TEST

START_TEST(out_of_memory)
{
	struct kvfs_elf_notes notes = { 0 };
	struct kvfs_elf_note_segment s;
	int ret;

	clear(4);
	add_prstatus(1);
	s = copy_of_buf(4);
	failalloc_try_all(ret, ret = kvfs_elf_notes_add(&notes, &s));
	ck_assert_uint_eq(notes.n, 1);
	kvfs_elf_notes_deinit(&notes);
}
END_TEST

UNIT_MAIN("notes", alignments, no_notes, zeros_between, names, cut, malformed, several_segments,
	  out_of_memory)
