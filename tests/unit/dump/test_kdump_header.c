// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_header.h"

#include <endian.h>
#include <errno.h>

#include "base/cleanup.h"
#include "unit.h"

#define PAGE 4096
/* Offsets of what the tests change: in the header, and in the sub header at PAGE. */
#define VERSION 8
#define MACHINE 272
#define STATUS 424
#define BLOCK_SIZE 428
#define SUB_BLOCKS 432
#define MAP_BLOCKS 436
#define MAX_MAPNR 440
#define SPLIT (PAGE + 12)
#define VMCOREINFO (PAGE + 32)
#define NOTES (PAGE + 48)
#define START_PFN (PAGE + 80)
#define END_PFN (PAGE + 88)
#define MAX_MAPNR_64 (PAGE + 96)

static unsigned char file[8 * PAGE];

static void put32(size_t at, uint32_t v)
{
	memcpy(file + at, &v, 4);
}

static void put64(size_t at, uint64_t v)
{
	memcpy(file + at, &v, 8);
}

static void set_up(void)
{
	memset(file, 0, sizeof(file));
	memcpy(file, "KDUMP   ", 8);
	put32(VERSION, 6);
	strcpy((char *)file + MACHINE, "x86_64");
	put32(BLOCK_SIZE, PAGE);
	put32(SUB_BLOCKS, 2);
	put32(MAP_BLOCKS, 2);
	put32(MAX_MAPNR, 1000);
	put64(VMCOREINFO, PAGE + 200);
	put64(VMCOREINFO + 8, 10);
	put64(NOTES, PAGE + 104);
	put64(NOTES + 8, 300);
	put64(MAX_MAPNR_64, 1000);
}

static int load(size_t len, struct kvfs_kdump_header *head, struct kvfs_err *err)
{
	_cleanup_close_ int fd = unit_file(file, len);

	memset(err, 0, sizeof(*err));
	return kvfs_kdump_header_load(fd, "dump", len, head, err);
}

START_TEST(test_good)
{
	struct kvfs_kdump_header head;
	struct kvfs_err err;

	set_up();
	ck_assert_int_eq(load(sizeof(file), &head, &err), 0);
	ck_assert_str_eq(head.machine, "x86_64");
	ck_assert_uint_eq(head.page_size, PAGE);
	ck_assert_uint_eq(head.nr_pfns, 1000);
	ck_assert(!head.incomplete && !head.split);
	ck_assert_uint_eq(head.ram_map_off, 3 * PAGE);
	ck_assert_uint_eq(head.dumped_map_off, 4 * PAGE);
	ck_assert_uint_eq(head.map_len, PAGE);
	ck_assert_uint_eq(head.descs_off, 5 * PAGE);
	ck_assert_uint_eq(head.notes_off, PAGE + 104);
	ck_assert_uint_eq(head.notes_len, 300);
	ck_assert_uint_eq(head.vmcoreinfo_len, 10);
	put32(STATUS, 1 << 3 | 1);
	put32(SPLIT, 1);
	put64(START_PFN, 100);
	put64(END_PFN, 200);
	ck_assert_int_eq(load(sizeof(file), &head, &err), 0);
	ck_assert(head.incomplete && head.split);
	ck_assert_uint_eq(head.start_pfn, 100);
	ck_assert_uint_eq(head.end_pfn, 200);
	/* Before version 6 page frame numbers have 32 bits. */
	put32(VERSION, 1);
	put32(MAX_MAPNR, 999);
	ck_assert_int_eq(load(sizeof(file), &head, &err), 0);
	ck_assert_uint_eq(head.nr_pfns, 999);
	ck_assert(!head.split && !head.notes_len && !head.vmcoreinfo_len);
}
END_TEST

START_TEST(test_cut)
{
	set_up();
	for (size_t len = 0; len < 5 * PAGE; len += len < 600 || len > PAGE ? 7 : 1000) {
		struct kvfs_kdump_header head;
		struct kvfs_err err;

		unit_assert_error(load(len, &head, &err), ENODATA, err, "truncated");
	}
}
END_TEST

static void check_bad(size_t at, uint64_t v, size_t len, int errnum)
{
	struct kvfs_kdump_header head = { .nr_pfns = 42 };
	struct kvfs_err err;

	set_up();
	memcpy(file + at, &v, len);
	ck_assert_msg(load(sizeof(file), &head, &err) == -errnum, "%zu: %s", at, err.msg);
	ck_assert_int_eq(err.errnum, errnum);
	ck_assert_uint_eq(head.nr_pfns, 42);
}

START_TEST(test_hostile)
{
	check_bad(0, 'X', 1, ENOEXEC);
	check_bad(VERSION, UINT32_MAX, 4, EBADMSG);
	check_bad(BLOCK_SIZE, 0, 4, EBADMSG);
	check_bad(BLOCK_SIZE, 4097, 4, EBADMSG);
	check_bad(BLOCK_SIZE, 1 << 17, 4, EBADMSG);
	check_bad(BLOCK_SIZE, htobe32(PAGE), 4, ENOEXEC);
	check_bad(SUB_BLOCKS, 0, 4, EBADMSG);
	check_bad(SUB_BLOCKS, UINT32_MAX, 4, EBADMSG);
	check_bad(SUB_BLOCKS, INT32_MAX, 4, ENODATA);
	check_bad(MAP_BLOCKS, 0, 4, EBADMSG);
	check_bad(MAP_BLOCKS, UINT32_MAX, 4, EBADMSG);
	check_bad(MAP_BLOCKS, INT32_MAX, 4, ENODATA);
	check_bad(MAX_MAPNR_64, 0, 8, EBADMSG);
	check_bad(MAX_MAPNR_64, PAGE * 8 + 1, 8, EBADMSG);
	check_bad(MAX_MAPNR_64, UINT64_MAX, 8, EBADMSG);
	check_bad(NOTES, UINT64_MAX, 8, EBADMSG);
	check_bad(NOTES, sizeof(file) - 299, 8, ENODATA);
	check_bad(NOTES + 8, UINT64_MAX, 8, EBADMSG);
	check_bad(NOTES + 8, KVFS_KDUMP_HEADER_NOTES_MAX, 8, ENODATA);
	check_bad(VMCOREINFO + 8, KVFS_KDUMP_HEADER_NOTES_MAX + 1, 8, EBADMSG);
}
END_TEST

START_TEST(test_split_backwards)
{
	struct kvfs_kdump_header head;
	struct kvfs_err err;

	set_up();
	put32(SPLIT, 1);
	ck_assert_int_eq(load(sizeof(file), &head, &err), 0);	/* [0, 0): a part can be empty */
	put64(START_PFN, 5);
	put64(END_PFN, 4);
	unit_assert_error(load(sizeof(file), &head, &err), EBADMSG, err, "PFN 0x5");
}
END_TEST

/* A header of a 32-bit machine is shorter by the padding and half of the time stamp. */
START_TEST(test_32bit)
{
	struct kvfs_kdump_header head;
	struct kvfs_err err;

	set_up();
	put32(416, PAGE);
	put32(BLOCK_SIZE, 777);
	unit_assert_error(load(sizeof(file), &head, &err), ENOEXEC, err, "32-bit");
}
END_TEST

START_TEST(test_descriptors)
{
	static const struct {
		struct kvfs_kdump_desc desc;
		int want;
	} cases[] = {
		{ { 0, PAGE, 0, 0 }, 0 },
		{ { 1000, 1, KVFS_KDUMP_DESC_ZSTD, 0 }, 0 },
		{ { 1000, PAGE, KVFS_KDUMP_DESC_LZO, 0 }, 0 },
		{ { 10000 - PAGE, PAGE, 0, 0 }, 0 },
		{ { 10001 - PAGE, PAGE, 0, 0 }, -ENODATA },
		{ { INT64_MAX - PAGE, PAGE, 0, 0 }, -ENODATA },
		{ { INT64_MAX, PAGE, 0, 0 }, -EBADMSG },
		{ { UINT64_MAX, PAGE, 0, 0 }, -EBADMSG },
		{ { 0, PAGE - 1, 0, 0 }, -EBADMSG },
		{ { 0, PAGE + 1, KVFS_KDUMP_DESC_ZLIB, 0 }, -EBADMSG },
		{ { 0, 0, KVFS_KDUMP_DESC_ZLIB, 0 }, -EBADMSG },
		{ { 0, 100, KVFS_KDUMP_DESC_ZLIB | KVFS_KDUMP_DESC_LZO, 0 }, -EBADMSG },
		{ { 0, UINT32_MAX, KVFS_KDUMP_DESC_SNAPPY, 0 }, -EBADMSG },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(kvfs_kdump_desc_check(&cases[i].desc, PAGE, 10000) == cases[i].want, "%zu", i);
}
END_TEST

UNIT_MAIN("dump/kdump_header", test_good, test_cut, test_hostile, test_split_backwards, test_32bit,
	  test_descriptors)
