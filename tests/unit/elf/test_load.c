// SPDX-License-Identifier: GPL-2.0-only
#include "elf/load.h"

#include <elf.h>
#include <errno.h>
#include <sys/stat.h>

#include "failalloc.h"
#include "mkelf.h"
#include "unit.h"

/* A core for most tests: 3 program headers, at 0x40, 0x78 and 0xb0. */
#define SMALL \
	"elf\n" \
	"note name=CORE type=1 desc=\"abc\"\n" \
	"note name=VMCOREINFO desc=\"OSRELEASE=6.12\\nPAGESIZE=4096\\n\"\n" \
	"load vaddr=0xffffffff81000000 paddr=0x1000000 memsz=2M\n" \
	"load vaddr=0xffffc90000000000 memsz=16K\n"

static uint64_t file_len;

static int make(const char *text)
{
	int fd = unit_file(NULL, 0);
	char why[256];
	struct stat st;

	ck_assert_msg(!mkelf_expand(text, fd, why, sizeof(why)), "%s", why);
	ck_assert_int_eq(fstat(fd, &st), 0);
	file_len = (uint64_t)st.st_size;
	return fd;
}

static void load(const char *text, struct kvfs_elf *core)
{
	struct kvfs_err err = { 0 };
	int fd = make(text);

	ck_assert_msg(!kvfs_elf_load(fd, "x", file_len, core, &err), "%s", err.msg);
	close(fd);
}

static void check_failure(const char *text, bool known_len, int errnum, const char *part)
{
	struct kvfs_elf core, before;
	struct kvfs_err err = { 0 };
	int fd = make(text), ret;

	memset(&core, 0x5a, sizeof(core));
	before = core;
	ret = kvfs_elf_load(fd, "the-file", known_len ? file_len : 0, &core, &err);
	unit_assert_error(ret, errnum, err, part);
	ck_assert_ptr_nonnull(strstr(err.msg, "the-file"));
	ck_assert_mem_eq(&core, &before, sizeof(core));
	close(fd);
}

START_TEST(a_small_core)
{
	struct kvfs_elf core;

	load(SMALL, &core);
	ck_assert_uint_eq(core.nr_segs, 2);
	ck_assert_uint_eq(core.segs[0].off, 0x1000);
	ck_assert_uint_eq(core.segs[0].len, 2 << 20);
	ck_assert_uint_eq(core.segs[0].memsz, 2 << 20);
	ck_assert_uint_eq(core.segs[0].vaddr, 0xffffffff81000000);
	ck_assert_uint_eq(core.segs[0].paddr, 0x1000000);
	ck_assert_uint_eq(core.segs[1].paddr, KVFS_NO_PADDR);
	ck_assert_str_eq(core.vmcoreinfo, "OSRELEASE=6.12\nPAGESIZE=4096\n");
	ck_assert_uint_eq(core.vmcoreinfo_len, 29);
	ck_assert_uint_eq(core.machine, kvfs_elf_native_machine());
	ck_assert_uint_eq(core.elfclass, ELFCLASS64);
	ck_assert_uint_eq(core.nr_cut, 0);
	kvfs_elf_deinit(&core);
	ck_assert_ptr_null(core.segs);
	kvfs_elf_deinit(&core);
	kvfs_elf_deinit(NULL);
}
END_TEST

START_TEST(of_32_bits)
{
	struct kvfs_elf core;

	load("elf class=32 machine=3\n"
	     "note name=VMCOREINFO desc=\"A=1\"\n"
	     "load vaddr=0xc0000000 paddr=0 memsz=0x40000000\n"
	     "load vaddr=0xf0000000 memsz=4K\n", &core);
	ck_assert_uint_eq(core.elfclass, ELFCLASS32);
	ck_assert_uint_eq(core.machine, EM_386);
	ck_assert_uint_eq(core.nr_segs, 2);
	ck_assert_uint_eq(core.segs[0].vaddr, 0xc0000000);
	ck_assert_uint_eq(core.segs[0].memsz, 0x40000000);	/* up to the very last byte */
	ck_assert_uint_eq(core.segs[1].paddr, KVFS_NO_PADDR);
	ck_assert_str_eq(core.vmcoreinfo, "A=1");
	kvfs_elf_deinit(&core);
	check_failure("elf class=32\nload vaddr=0xc0000001 paddr=0 memsz=0x40000000\n", true, EBADMSG,
		      "segment 0 claims 0x40000000 bytes at virtual address 0xc0000001");
}
END_TEST

START_TEST(with_more_segments_than_e_phnum_can_say)
{
	struct kvfs_elf core;

	load("elf xnum=1\nnote name=VMCOREINFO desc=\"A=1\"\n"
	     "load vaddr=0x10000 paddr=0 memsz=4K off=0x1000 filesz=0 repeat=70000\n", &core);
	ck_assert_uint_eq(core.nr_segs, 70000);
	ck_assert_uint_eq(core.segs[69999].paddr, 69999 * 4096);
	ck_assert_str_eq(core.vmcoreinfo, "A=1");
	kvfs_elf_deinit(&core);
	load("elf class=32 xnum=1\nload vaddr=0x1000 paddr=0 memsz=256 off=0x1000 filesz=0 repeat=65535\n",
	     &core);
	ck_assert_uint_eq(core.nr_segs, 65535);
	kvfs_elf_deinit(&core);
	/* 65,534 are the most that e_phnum can say. */
	load("elf\nload vaddr=0x1000 paddr=0 memsz=256 off=0x1000 filesz=0 repeat=65534\n", &core);
	ck_assert_uint_eq(core.nr_segs, 65534);
	kvfs_elf_deinit(&core);
	check_failure("elf xnum=1 shoff=0\nload vaddr=0 memsz=4K\n", true, EBADMSG,
		      "no section header");
	check_failure("elf xnum=1 phnum=3\nload vaddr=0 memsz=4K\n", true, EBADMSG,
		      "the true number is 3");
	check_failure("elf xnum=1 phnum=0xffffffff\nload vaddr=0 memsz=4K\n", true, EBADMSG,
		      "claims 4294967295 program headers");
	check_failure("elf xnum=1 shoff=0x7fffffffffffffff\n", true, EBADMSG, "first section header");
	check_failure("elf xnum=1 shoff=0x100000\n", true, ENODATA, "first section header");
}
END_TEST

START_TEST(not_a_core)
{
	struct kvfs_elf core;
	struct kvfs_err err = { 0 };
	int fd = unit_file("", 0), ret;

	ret = kvfs_elf_load(fd, "empty", 0, &core, &err);
	unit_assert_error(ret, ENOEXEC, err, "empty is not an ELF file");
	close(fd);
	fd = unit_file("#!/bin/sh\necho this is not the file you want, nor will it be\n", 61);
	ret = kvfs_elf_load(fd, "script", 61, &core, &err);
	unit_assert_error(ret, ENOEXEC, err, "script is not an ELF file");
	close(fd);
	ret = kvfs_elf_load(-1, "closed", 0, &core, &err);
	unit_assert_error(ret, EBADF, err, "ELF header of closed");
	check_failure("elf type=3\n", true, ENOEXEC, "not a core (e_type is 3)");
	check_failure("elf class=5\n", true, ENOEXEC, "unknown class 5");
	check_failure("elf data=2\n", true, ENOEXEC, "another byte order");
	check_failure("elf version=9\n", true, ENOEXEC, "unknown ELF version 9");
}
END_TEST

START_TEST(truncated_heads)
{
	check_failure(SMALL "size 20\n", true, ENODATA, "inside its ELF header, after 20 bytes");
	check_failure("elf class=32\nsize 51\n", true, ENODATA, "after 51 bytes");
	check_failure(SMALL "size 15\n", true, ENOEXEC, "not an ELF file");
	check_failure(SMALL "size 0xa0\n", true, ENODATA, "the program header table should be bytes "
		      "0x40-0xe7 but the file ends at 0xa0");
	check_failure(SMALL "size 0xf0\n", false, ENODATA, "the note segment should be bytes "
		      "0xe8-0x");
	check_failure(SMALL "size 0xf0\n", true, ENODATA, "but the file ends at 0xf0");
	check_failure("elf phoff=0x7ffffffffffffff0\nload vaddr=0 memsz=4K\n", true, EBADMSG,
		      "program header table would begin at byte 0x7ffffffffffffff0");
	check_failure("elf phoff=0xfffffffffffffff0\nload vaddr=0 memsz=4K\n", true, EBADMSG,
		      "program header table");
	check_failure("elf phentsize=55\nload vaddr=0 memsz=4K\n", true, EBADMSG, "e_phentsize is 55");
	check_failure("elf phnum=60000\nload vaddr=0 memsz=4K\n", true, ENODATA, "program header table");
}
END_TEST

START_TEST(lying_segments)
{
	check_failure("elf\nload vaddr=0 memsz=4K filesz=8K\n", true, EBADMSG,
		      "segment 0 has more bytes in the file (0x2000) than in memory (0x1000)");
	check_failure(SMALL "load vaddr=0xfffffffffffff000 memsz=0x1001\n", true, EBADMSG,
		      "segment 3 claims 0x1001 bytes at virtual address 0xfffffffffffff000");
	check_failure("elf\nload vaddr=0 paddr=0xfffffffffffff000 memsz=0x1001\n", true, EBADMSG,
		      "at physical address 0xfffffffffffff000");
	check_failure("elf\nload vaddr=0 memsz=4K off=0x7ffffffffffff001\n", true, EBADMSG,
		      "at offset 0x7ffffffffffff001, which no file can have");
	check_failure("elf\nload vaddr=0 memsz=0xfffffffffffffffe off=1\n", true, EBADMSG, "no file");
}
END_TEST

START_TEST(segments_that_touch_the_ends)
{
	struct kvfs_elf core;

	load("elf\n"
	     "load vaddr=0xfffffffffffff000 paddr=0xfffffffffffff000 memsz=4K\n"
	     "load vaddr=0 memsz=0xfffffffffffffffe filesz=0\n"
	     "load vaddr=77 memsz=0 filesz=0\n"
	     "load vaddr=0x1000 paddr=0 memsz=8K filesz=4K\n"
	     "load vaddr=0xffffffffffffffff paddr=0xfffffffffffffffe memsz=1 off=0x2000\n"
	     "load vaddr=0 memsz=4K off=0x7fffffffffffefff\n"
	     "size 64K\n", &core);
	ck_assert_uint_eq(core.nr_segs, 5);	/* without the empty one */
	ck_assert_uint_eq(core.segs[0].vaddr, 0xfffffffffffff000);
	ck_assert_uint_eq(core.segs[1].memsz, UINT64_MAX - 1);
	ck_assert_uint_eq(core.segs[2].len, 4096);
	ck_assert_uint_eq(core.segs[2].memsz, 8192);
	ck_assert_uint_eq(core.segs[3].vaddr, UINT64_MAX);
	ck_assert_uint_eq(core.segs[4].off, 0x7fffffffffffefff);
	kvfs_elf_deinit(&core);
	load("elf\n", &core);
	ck_assert_uint_eq(core.nr_segs, 0);
	ck_assert_ptr_nonnull(core.segs);
	ck_assert_ptr_null(core.vmcoreinfo);
	kvfs_elf_deinit(&core);
}
END_TEST

START_TEST(segments_beyond_the_end_are_cut)
{
	struct kvfs_elf core;
	struct kvfs_err err;
	int fd;

	load(SMALL "size 0x101000\n", &core);
	ck_assert_uint_eq(core.nr_cut, 2);
	ck_assert_uint_eq(core.first_cut.index, 1);
	ck_assert_uint_eq(core.first_cut.off, 0x1000);
	ck_assert_uint_eq(core.first_cut.len, 2 << 20);
	ck_assert_uint_eq(core.segs[0].len, 1 << 20);
	ck_assert_uint_eq(core.segs[0].memsz, 2 << 20);
	ck_assert_uint_eq(core.segs[1].len, 0);
	ck_assert_uint_eq(core.segs[1].memsz, 16384);
	kvfs_elf_deinit(&core);
	/* The length of a proc file is not known. */
	fd = make(SMALL "size 0x101000\n");
	ck_assert_int_eq(kvfs_elf_load(fd, "x", 0, &core, &err), 0);
	ck_assert_uint_eq(core.nr_cut, 0);
	ck_assert_uint_eq(core.segs[0].len, 2 << 20);
	kvfs_elf_deinit(&core);
	close(fd);
}
END_TEST

START_TEST(notes)
{
	struct kvfs_elf core;

	load("elf\nload vaddr=0 memsz=4K\n", &core);
	ck_assert_ptr_null(core.vmcoreinfo);
	ck_assert_uint_eq(core.vmcoreinfo_len, 0);
	kvfs_elf_deinit(&core);
	load("elf\nnote name=VMCOREINF desc=a\nnote name=VMCOREINFOX desc=b\nnote name=VMCOREINFO\n"
	     "note name=VMCOREINFO desc=second\n", &core);
	ck_assert_str_eq(core.vmcoreinfo, "");
	kvfs_elf_deinit(&core);
	load("elf\nnote name=VMCOREINFO desc=\"A=1\\0rest\"\n", &core);	/* text ends with a NUL */
	ck_assert_str_eq(core.vmcoreinfo, "A=1");
	ck_assert_uint_eq(core.vmcoreinfo_len, 3);
	kvfs_elf_deinit(&core);
	/* A second PT_NOTE, here over the same bytes, is looked at as well. */
	load("elf\nnote name=VMCOREINFO desc=A\nnotes filesz=0\nphdr type=4 off=0xb0 filesz=28 memsz=0\n",
	     &core);
	ck_assert_str_eq(core.vmcoreinfo, "A");
	kvfs_elf_deinit(&core);
}
END_TEST

/* Registers are found where p_align says, in any number of notes. */
START_TEST(notes_of_either_alignment)
{
	static const char *const heads[] = { "elf\n", "elf\nnotes align=8\n", "elf\nnotes align=0\n" };

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct kvfs_elf_note note;
		struct kvfs_elf core;
		char text[512];

		snprintf(text, sizeof(text), "%snote name=CORE type=1 desc=abc\n"
			 "note name=CORE type=1 desc=12345\nnote name=VMCOREINFO desc=\"A=1\"\n"
			 "note name=CORE type=1 desc=1234567890\n", heads[i]);
		load(text, &core);
		ck_assert_str_eq(core.vmcoreinfo, "A=1");
		ck_assert(kvfs_elf_notes_prstatus(&core.notes, 1, &note));
		ck_assert_uint_eq(note.desc_len, 5);
		ck_assert_mem_eq(note.desc, "12345", 5);
		ck_assert(kvfs_elf_notes_prstatus(&core.notes, 2, &note));
		ck_assert_mem_eq(note.desc, "1234567890", 10);
		ck_assert(!kvfs_elf_notes_prstatus(&core.notes, 3, &note));
		kvfs_elf_deinit(&core);
	}
}
END_TEST

START_TEST(notes_are_kept)
{
	/* "X" with "ab", padded; a second PT_NOTE has the same bytes. */
	static const char want[] = "\2\0\0\0" "\2\0\0\0" "\7\0\0\0" "X\0\0\0" "ab\0\0";
	struct kvfs_elf core;

	load("elf\nnote name=X type=7 desc=ab\n"
	     "phdr type=4 off=0xb0 filesz=20 memsz=0\n", &core);
	ck_assert_uint_eq(core.notes.n, 2);
	ck_assert_uint_eq(core.notes.len, 40);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(core.notes.v[i].len, 20);
		ck_assert_uint_eq(core.notes.v[i].off, 0xb0);
		ck_assert_mem_eq(core.notes.v[i].bytes, want, 20);
	}
	ck_assert_uint_eq(core.notes.v[0].align, 4);
	ck_assert_uint_eq(core.notes.v[1].align, 0);
	kvfs_elf_deinit(&core);
	ck_assert_uint_eq(core.notes.n, 0);
	load("elf\nload vaddr=0 memsz=4K\n", &core);
	ck_assert_uint_eq(core.notes.n, 0);
	kvfs_elf_deinit(&core);
}
END_TEST

START_TEST(malformed_notes)
{
	struct kvfs_elf core;

	/* VMCOREINFO in a PT_NOTE after the malformed one, here inside it, is as good. */
	load("elf\nnote name=X descsz=0x1000\nnote name=VMCOREINFO desc=A\n"
	     "phdr type=4 off=0xc0 filesz=28 memsz=0\n", &core);
	ck_assert_str_eq(core.vmcoreinfo, "A");
	kvfs_elf_deinit(&core);
	check_failure("elf\nnote name=X descsz=0x1000\n", true, EBADMSG, "note at byte 0x78 runs beyond");
	check_failure("elf\nnote name=X namesz=0xffffffff\n", true, EBADMSG, "runs beyond");
	check_failure("elf\nnote name=VMCOREINFO descsz=0xffffffff\n", true, EBADMSG, "runs beyond");
	check_failure("elf\nnote name=CORE\nnote name=VMCOREINFO desc=abc descsz=5\n", true, EBADMSG,
		      "note at byte 0x8c");
	check_failure("elf\nnotes filesz=12\nnote name=X\n", true, EBADMSG, "runs beyond");
	check_failure("elf\nnotes filesz=0x1000001\nnote name=X\n", true, EBADMSG,
		      "claims 0x1000001 bytes of notes");
	check_failure("elf\nnotes off=0x7fffffffffffffff\nnote name=X\n", true, EBADMSG, "note segment");
	check_failure("elf\nnotes off=0x100000\nnote name=X\n", true, ENODATA, "note segment");
}
END_TEST

START_TEST(without_memory)
{
	struct kvfs_elf core;
	struct kvfs_err err;
	int fd = make(SMALL), ret;

	failalloc_try_all(ret, ret = kvfs_elf_load(fd, "x", 0, &core, &err));
	ck_assert_int_eq(ret, 0);
	kvfs_elf_deinit(&core);
	close(fd);
}
END_TEST

/* With any byte of the head wrong, loading succeeds or reports an error. */
START_TEST(every_byte_wrong)
{
	int fd = make(SMALL);
	unsigned char head[0x180];
	size_t loaded = 0;

	ck_assert_int_eq(pread(fd, head, sizeof(head), 0), sizeof(head));
	for (size_t i = 0; i < sizeof(head) * 3; i++) {
		static const unsigned char wrong[] = { 0x00, 0x7f, 0xff };
		unsigned char byte = wrong[i % 3];
		struct kvfs_elf core = { 0 };
		struct kvfs_err err = { 0 };

		ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t)(i / 3)), 1);
		if (!kvfs_elf_load(fd, "x", file_len, &core, &err))
			loaded++;
		else if (!err.errnum || !err.msg[0] || core.segs)
			ck_abort_msg("byte %zu", i / 3);
		kvfs_elf_deinit(&core);
		ck_assert_int_eq(pwrite(fd, &head[i / 3], 1, (off_t)(i / 3)), 1);
	}
	ck_assert_uint_gt(loaded, 100);
	ck_assert_uint_lt(loaded, sizeof(head) * 3);
	close(fd);
}
END_TEST

UNIT_MAIN("load", a_small_core, of_32_bits, with_more_segments_than_e_phnum_can_say, not_a_core,
	  truncated_heads, lying_segments, segments_that_touch_the_ends,
	  segments_beyond_the_end_are_cut, notes, notes_of_either_alignment, notes_are_kept, malformed_notes, without_memory, every_byte_wrong)
