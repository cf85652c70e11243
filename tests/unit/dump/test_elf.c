// SPDX-License-Identifier: GPL-2.0-only
#include "dump/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "failalloc.h"
#include "failpread.h"
#include "mkelf.h"
#include "unit.h"

#define PAGE 4096

/* RAM from 1 MiB on, a part of which is also the image; its last page is not saved. */
#define CORE \
	"note name=\"VMCOREINFO\" desc=\"PAGESIZE=4096\\n\"\n" \
	"load vaddr=0x81000000 paddr=0x101000 memsz=0x2000\n" \
	"fill load=0 with=addr\n" \
	"load vaddr=0xc0100000 paddr=0x100000 memsz=0x6000 filesz=0x5000\n" \
	"fill load=1 with=addr\n"

static int expand(const char *text)
{
	int fd = unit_file(NULL, 0);
	char msg[256];

	ck_assert_msg(mkelf_expand(text, fd, msg, sizeof(msg)) == 0, "%s", msg);
	return fd;
}

static uint64_t length_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		ck_abort_msg("fstat");
	return (uint64_t)st.st_size;
}

/* On success the descriptor is the dump's. */
static int try_open(int fd, struct kvfs_dump **out, struct kvfs_err *err)
{
	const struct kvfs_dump_config config = { .nr_files = 1 };
	struct kvfs_dump_file file = { .name = "core", .fd = fd, .len = length_of(fd) };
	int ret = kvfs_dump_elf.open(&file, 1, &config, out, err);

	/* No assertion that holds may allocate here: test_out_of_memory. */
	if (file.fd != (ret < 0 ? fd : -1))
		ck_abort_msg("the descriptor is %d", file.fd);
	return ret;
}

static struct kvfs_dump *open_dump(int fd)
{
	struct kvfs_err err = { 0 };
	struct kvfs_dump *dump = NULL;

	ck_assert_msg(try_open(fd, &dump, &err) == 0, "%s", err.msg);
	return dump;
}

static uint64_t word_at(struct kvfs_dump *dump, const struct kvfs_extents *t, uint64_t off)
{
	uint64_t word = 1;

	ck_assert_int_eq(kvfs_dump_read(dump, t, &word, sizeof(word), off), sizeof(word));
	return word;
}

/* head is the line of mkelf for the header; more: further lines. */
static void check_core(const char *head, const char *more, const char *format, uint16_t machine)
{
	char text[1024];
	struct kvfs_dump *dump;
	struct kvfs_extents seg;
	int fd;

	snprintf(text, sizeof(text), "%s\n" CORE "%s", head, more);
	fd = expand(text);
	dump = open_dump(fd);
	ck_assert_str_eq(dump->format, format);
	ck_assert_int_eq(dump->machine, machine);
	ck_assert_int_eq(dump->fd, fd);
	ck_assert_ptr_null(dump->missing);
	ck_assert_str_eq(dump->vmcoreinfo, "PAGESIZE=4096\n");
	ck_assert_uint_eq(dump->core.size, length_of(fd));
	ck_assert_uint_eq(dump->nr_segs, 2);
	ck_assert_uint_eq(dump->ram.size, 0x106000);
	ck_assert_uint_eq(word_at(dump, &dump->ram, 0x100ff8), 0x100ff8);
	ck_assert_uint_eq(word_at(dump, &dump->ram, 0x101008), 0x101008);
	ck_assert_uint_eq(word_at(dump, &dump->ram, 0x105000), 0);
	ck_assert_uint_eq(word_at(dump, &dump->ram, 0), 0);
	ck_assert_int_eq(kvfs_dump_seg_table(dump, 1, &seg), 0);
	ck_assert_uint_eq(seg.size, 0x6000);
	ck_assert_uint_eq(word_at(dump, &seg, 0x4ff8), 0x104ff8);
	ck_assert_uint_eq(word_at(dump, &seg, 0x5000), 0);
	ck_assert_uint_eq(word_at(dump, &dump->core, dump->segs[0].off + 16), 0x101010);
	kvfs_extents_deinit(&seg);
	kvfs_dump_close(dump);
}

START_TEST(test_classes)
{
	static const char many[] = "load vaddr=0 paddr=0x200000 memsz=0 off=0 repeat=65536\n";

	check_core("elf class=64 machine=62", "", "ELF64 core", EM_X86_64);
	check_core("elf class=32 machine=3", "", "ELF32 core", EM_386);
	check_core("elf class=64 machine=183 xnum=1", many, "ELF64 core", EM_AARCH64);
	check_core("elf class=32 machine=3 xnum=1", many, "ELF32 core", EM_386);
}
END_TEST

/* Holes of the file are holes of the views, and count as nothing. */
START_TEST(test_holes)
{
	int fd = expand("elf\n"
			"load vaddr=0x1000 paddr=0 memsz=1M\n"
			"fill load=0 at=0x40000 len=0x2000 byte=7\n"
			"fill load=0 at=0xff000 len=0x1000 byte=8\n");
	struct kvfs_dump *dump = open_dump(fd);
	uint64_t found;

	ck_assert_int_eq(kvfs_dump_seek(dump, &dump->ram, 0, SEEK_DATA, &found), 0);
	ck_assert_uint_eq(found, 0x40000);
	ck_assert_int_eq(kvfs_dump_seek(dump, &dump->ram, found, SEEK_HOLE, &found), 0);
	ck_assert_uint_eq(found, 0x42000);
	ck_assert_int_eq(kvfs_dump_seek(dump, &dump->ram, found, SEEK_DATA, &found), 0);
	ck_assert_uint_eq(found, 0xff000);
	ck_assert_int_eq(kvfs_dump_seek(dump, &dump->ram, found, SEEK_HOLE, &found), 0);
	ck_assert_uint_eq(found, 0x100000);
	ck_assert_int_eq(kvfs_dump_seek(dump, &dump->ram, 0x100000, SEEK_DATA, &found), -ENXIO);
	ck_assert_uint_le(dump->ops->data_len(dump, &dump->ram), 4 * PAGE);
	ck_assert_uint_ge(dump->ops->data_len(dump, &dump->ram), 3 * PAGE);
	kvfs_dump_close(dump);
}
END_TEST

/* Wherever the file ends after its headers, the part before is shown and the rest is reported. */
START_TEST(test_cut)
{
	for (uint64_t kept = 0; kept < 0x7000; kept += 0x6ff) {
		int fd = expand("elf\n" CORE);
		struct kvfs_dump *dump = open_dump(fd);
		uint64_t head = dump->segs[0].off, first = dump->segs[0].len;
		char name[64];

		kvfs_dump_close(dump);
		fd = expand("elf\n" CORE);
		ck_assert_int_eq(ftruncate(fd, (off_t)(head + kept)), 0);
		dump = open_dump(fd);
		snprintf(name, sizeof(name), "%d of its segments", kept < first ? 2 : 1);
		ck_assert_ptr_nonnull(dump->missing);
		ck_assert_msg(strstr(dump->missing, name), "%s", dump->missing);
		ck_assert_uint_eq(dump->segs[0].len, kept < first ? kept : first);
		ck_assert_uint_eq(dump->segs[0].memsz, first);
		ck_assert_uint_eq(dump->core.size, head + kept);
		ck_assert_uint_eq(dump->ram.size, 0x106000);
		ck_assert_uint_eq(word_at(dump, &dump->ram, 0x105ff8), 0);
		kvfs_dump_close(dump);
	}
}
END_TEST

/* A file that is truncated while it is open: an error, never a short read or old bytes. */
START_TEST(test_shrinks)
{
	int fd = expand("elf\n" CORE);
	struct kvfs_dump *dump = open_dump(fd);
	unsigned char buf[2 * PAGE];
	uint64_t off = dump->segs[1].off;

	ck_assert_int_eq(ftruncate(fd, (off_t)off + PAGE), 0);
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->core, buf, PAGE, off), PAGE);
	ck_assert_uint_eq(dump->nr_damaged, 0);
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->core, buf, sizeof(buf), off), -EIO);
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->ram, buf, PAGE, 0x104000), -EIO);
	ck_assert_uint_eq(dump->nr_damaged, 2);
	/* Each page is counted once. */
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->core, buf, PAGE, off + PAGE), -EIO);
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->ram, buf, PAGE, 0x104000), -EIO);
	ck_assert_uint_eq(dump->nr_damaged, 2);
	kvfs_dump_close(dump);
}
END_TEST

/* An error of the file system is not damage: not counted, and gone with its cause. */
START_TEST(test_unavailable)
{
	static const int errors[] = { EIO, ENOMEM, EMFILE };
	struct kvfs_dump *dump = open_dump(expand("elf\n" CORE));
	unsigned char buf[2 * PAGE];
	uint64_t off = dump->segs[1].off;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		failpread_at(off + PAGE, errors[i]);
		ck_assert_int_eq(kvfs_dump_read(dump, &dump->core, buf, sizeof(buf), off), -errors[i]);
		ck_assert_int_eq(kvfs_dump_read(dump, &dump->core, buf, PAGE, off + PAGE), -errors[i]);
		ck_assert_int_eq(kvfs_dump_read(dump, &dump->core, buf, PAGE, off), PAGE);
	}
	failpread_off();
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->core, buf, sizeof(buf), off), sizeof(buf));
	ck_assert_uint_eq(dump->nr_damaged, 0);
	kvfs_dump_close(dump);
}
END_TEST

/* Headers that cannot be true are refused with a reason, and the descriptor stays the caller's. */
START_TEST(test_hostile)
{
	static const struct { const char *text; int errnum; } cases[] = {
		{ "elf type=2\nload vaddr=0 memsz=4096", ENOEXEC },
		{ "elf data=2\nload vaddr=0 memsz=4096", ENOEXEC },
		{ "elf phnum=9999\nload vaddr=0 memsz=4096", ENODATA },
		{ "elf phoff=0xffffffffffffff00\nload vaddr=0 memsz=4096", EBADMSG },
		{ "elf\nload vaddr=0 memsz=4096 filesz=8192", EBADMSG },
		{ "elf\nload vaddr=0 memsz=4096 off=0x7ffffffffffff800", EBADMSG },
		{ "elf\nload vaddr=0xfffffffffffff000 memsz=8192 off=0", EBADMSG },
		{ "elf\nload vaddr=0 paddr=0xffffffffffffe000 memsz=0x3000 off=0", EBADMSG },
		{ "elf\nnote name=\"x\" descsz=0xffffffff\nload vaddr=0 memsz=4096", EBADMSG },
		{ "elf\nnote name=\"x\"\nnotes off=0x100000", ENODATA },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = expand(cases[i].text);
		struct kvfs_dump *dump = NULL;
		struct kvfs_err err = { 0 };

		ck_assert_msg(try_open(fd, &dump, &err) == -cases[i].errnum,
			      "%s: %s", cases[i].text, err.msg);
		ck_assert_ptr_null(dump);
		ck_assert_msg(strstr(err.msg, "core"), "%s", err.msg);
		ck_assert_int_eq(close(fd), 0);
	}
}
END_TEST

/* A segment that is longer than a file can be is named when the dump is opened. */
START_TEST(test_segment_too_long)
{
	static const struct { const char *text; const char *part; } cases[] = {
		{ "elf\nload vaddr=0 memsz=4096\nload vaddr=0x1000 memsz=0x8000000000000000 filesz=4096\n",
		  "core: seg1, at virtual address 0x1000, claims 0x8000000000000000 bytes" },
		{ "elf\nload vaddr=0 memsz=0xfffffffffffffff0 filesz=0\n", "core: seg0, " },
	};
	struct kvfs_dump *dump = NULL;
	struct kvfs_err err;
	struct kvfs_extents seg;
	int fd;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fd = expand(cases[i].text);
		unit_assert_error(try_open(fd, &dump, &err), EBADMSG, err, cases[i].part);
		close(fd);
	}
	/* The longest that a file can be. */
	dump = open_dump(expand("elf\nload vaddr=0 memsz=0x7fffffffffffffff filesz=4096\nfill load=0 with=addr\n"));
	ck_assert_int_eq(kvfs_dump_seg_table(dump, 0, &seg), 0);
	ck_assert_uint_eq(seg.size, INT64_MAX);
	ck_assert_uint_eq(word_at(dump, &seg, 8), 8);
	kvfs_extents_deinit(&seg);
	kvfs_dump_close(dump);
}
END_TEST

START_TEST(test_probe)
{
	struct kvfs_dump_file file = { .name = "core", .fd = -1, .head = "\177ELF" };
	struct kvfs_err err;

	ck_assert_int_eq(kvfs_dump_elf.probe(&file, &err), 1);
	file.head[0] = 'x';
	ck_assert_int_eq(kvfs_dump_elf.probe(&file, &err), 0);
	ck_assert(!kvfs_dump_elf.can_split);
}
END_TEST

/* A segment that ram would be too long with is in core and has its own file. */
START_TEST(test_far_segment)
{
	int fd = expand("elf\n"
			"load vaddr=0 paddr=0xffffffffffff0000 memsz=0x1000\n"
			"load vaddr=0 paddr=0x7fffffffffffe000 memsz=0x1000\n"
			"load vaddr=0 memsz=0x1000\n"
			"fill load=1 with=addr\n");
	struct kvfs_dump *dump = open_dump(fd);

	ck_assert_uint_eq(dump->nr_segs, 3);
	ck_assert_uint_eq(dump->ram.size, 0x7ffffffffffff000);
	ck_assert_uint_eq(dump->ram.n, 1);
	ck_assert_uint_eq(word_at(dump, &dump->ram, 0x7fffffffffffe008), 0x7fffffffffffe008);
	kvfs_dump_close(dump);
}
END_TEST

START_TEST(test_out_of_memory)
{
	int fd = expand("elf\n" CORE), ret;
	struct kvfs_dump *dump = NULL;
	struct kvfs_err err = { 0 };

	failalloc_try_all(ret, ret = try_open(fd, &dump, &err));
	kvfs_dump_close(dump);
}
END_TEST

UNIT_MAIN("dump/elf", test_probe, test_classes, test_holes, test_cut, test_shrinks, test_unavailable, test_hostile,
	  test_segment_too_long, test_far_segment, test_out_of_memory)
