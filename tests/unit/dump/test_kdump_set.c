// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_set.h"

#include <errno.h>

#include "failalloc.h"
#include "failpread.h"
#include "kdump_builder.h"
#include "unit.h"

#define PAGE 4096
#define MAX_PARTS 4

static struct kdump_file file;

/* Runs that begin and end in bytes, words and checks (64 pages) of all kinds. */
static char pattern[301];

static void make_pattern(void)
{
	for (size_t i = 0; i < sizeof(pattern) - 1; i++)
		pattern[i] = i < 3 || (i > 200 && i < 240) ? '.' : i % 7 == 0 || (i > 60 && i < 75) ? 'x' : 'D';
}

/* A set to be loaded, and what came of it. */
struct input {
	int fds[MAX_PARTS];
	size_t nr;
	struct kvfs_kdump_set set;
	char *missing;
	struct kvfs_err err;
};

static void add_file(struct input *in)
{
	ck_assert_uint_lt(in->nr, MAX_PARTS);
	in->fds[in->nr++] = unit_file(file.bytes, file.len);
}

static void add(struct input *in, const struct kdump_spec *spec)
{
	kdump_build(&file, spec);
	add_file(in);
}

static void add_part(struct input *in, uint64_t start, uint64_t end)
{
	const struct kdump_spec spec = { .pages = pattern, .split = true, .start = start, .end = end };

	add(in, &spec);
}

static int load(struct input *in)
{
	static const char *const names[MAX_PARTS] = { "one", "two", "three", "four" };

	free(in->missing);
	in->missing = NULL;
	memset(&in->err, 0, sizeof(in->err));
	return kvfs_kdump_set_load(in->fds, names, in->nr, &in->set, &in->missing, &in->err);
}

static void finish(struct input *in)
{
	kvfs_kdump_set_deinit(&in->set);
	free(in->missing);
	in->missing = NULL;
	while (in->nr > 0)
		close(in->fds[--in->nr]);
}

/* Whether a page is dumped in the parts [lo, hi) that are there. */
static bool dumped(uint64_t pfn, uint64_t lo, uint64_t hi)
{
	return pfn < sizeof(pattern) - 1 && pattern[pfn] == 'D' && pfn >= lo && pfn < hi;
}

/* The mask of wrong descriptors; the others say where a page is that holds its address. */
static uint64_t judge(const struct kvfs_kdump_set *set, uint64_t pfn, size_t n)
{
	struct kvfs_kdump_location locs[KVFS_KDUMP_SET_LOCATE_MAX];
	struct kvfs_dump_result result = { 0 };
	uint64_t word;

	kvfs_kdump_set_locate(set, pfn, n, locs, &result);
	ck_assert_uint_eq(result.unavailable, 0);
	ck_assert_int_eq(result.error, 0);
	for (size_t i = 0; i < n; i++) {
		if (result.damaged >> i & 1)
			continue;
		ck_assert_uint_eq(locs[i].len, PAGE);
		ck_assert_uint_eq(locs[i].flags, 0);
		ck_assert_int_eq(__real_pread(locs[i].fd, &word, sizeof(word), (off_t)locs[i].off), sizeof(word));
		ck_assert_uint_eq(word, (pfn + i) * PAGE);
	}
	return result.damaged;
}

/* All answers, from each page on, match the pattern. */
static void check_answers(const struct kvfs_kdump_set *set, uint64_t lo, uint64_t hi)
{
	const uint64_t ends[] = { 1, 64, 150, sizeof(pattern) - 1 };

	for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
		uint64_t end = ends[e], count = 0, next = end, other = end;

		for (uint64_t pfn = end; pfn-- > 0;) {
			if (dumped(pfn, lo, hi)) {
				next = pfn;
				count++;
			} else {
				other = pfn;
			}
			ck_assert_uint_eq(kvfs_kdump_set_next_dumped(set, pfn, end), next);
			ck_assert_uint_eq(kvfs_kdump_set_next_excluded(set, pfn, end), other);
			ck_assert_uint_eq(kvfs_kdump_set_count_dumped(set, pfn, end), count);
		}
	}
}

START_TEST(test_whole)
{
	const struct kdump_spec spec = { .pages = pattern };
	struct input in = { .nr = 0 };

	make_pattern();
	add(&in, &spec);
	ck_assert_int_eq(load(&in), 0);
	ck_assert_ptr_null(in.missing);
	ck_assert_uint_eq(in.set.nr_parts, 1);
	ck_assert_uint_eq(in.set.page_size, PAGE);
	ck_assert_uint_eq(in.set.nr_pfns, sizeof(pattern) - 1);
	check_answers(&in.set, 0, sizeof(pattern));
	for (uint64_t pfn = 0; pfn < sizeof(pattern) - 1; pfn++)
		ck_assert(kvfs_pfnmap_test(&in.set.ram, pfn) == (pattern[pfn] != '.'));
	ck_assert_uint_eq(judge(&in.set, 76, 1), 0);
	finish(&in);
	kvfs_kdump_set_deinit(NULL);
}
END_TEST

START_TEST(test_split)
{
	struct input in = { .nr = 0 };

	make_pattern();
	add_part(&in, 130, 300);
	add_part(&in, 0, 65);
	add_part(&in, 65, 65);
	add_part(&in, 65, 130);
	ck_assert_int_eq(load(&in), 0);
	ck_assert_ptr_null(in.missing);
	ck_assert_uint_eq(in.set.nr_parts, 4);
	/* Each file has a copy of the bitmap; in memory there is one. */
	for (size_t i = 1; i < 4; i++)
		ck_assert_ptr_eq(in.set.parts[i].dumped.words, in.set.parts[0].dumped.words);
	check_answers(&in.set, 0, 300);
	/* Descriptors in more than one file. */
	ck_assert_uint_eq(judge(&in.set, 120, 6), 0);
	ck_assert_uint_eq(judge(&in.set, 127, 6), 0);
	finish(&in);
}
END_TEST

/* Files that have the bits of their own pages only. */
START_TEST(test_own_bitmaps)
{
	struct kdump_spec spec = { .split = true, .start = 65, .end = 300 };
	char rest[sizeof(pattern)];
	struct input in = { .nr = 0 };

	make_pattern();
	memcpy(rest, pattern, sizeof(pattern));
	memset(rest, 'x', 65);
	spec.pages = rest;
	add_part(&in, 0, 65);
	add(&in, &spec);
	ck_assert_int_eq(load(&in), 0);
	ck_assert_ptr_ne(in.set.parts[1].dumped.words, in.set.parts[0].dumped.words);
	check_answers(&in.set, 0, 300);
	ck_assert_uint_eq(judge(&in.set, 127, 6), 0);
	finish(&in);
}
END_TEST

/* Every range that no file has is reported, wherever it is. */
START_TEST(test_gaps)
{
	struct input in = { .nr = 0 };

	make_pattern();
	add_part(&in, 65, 130);
	ck_assert_int_eq(load(&in), 0);
	ck_assert_ptr_nonnull(in.missing);
	ck_assert_msg(strstr(in.missing, "from PFN 0x0 to 0x40 ") && strstr(in.missing, "from PFN 0x82 to 0x12b "),
		      "%s", in.missing);
	check_answers(&in.set, 65, 130);
	finish(&in);

	add_part(&in, 0, 130);
	ck_assert_int_eq(load(&in), 0);
	ck_assert_msg(strstr(in.missing, "from PFN 0x82 to 0x12b ") && !strstr(in.missing, "PFN 0x0 "),
		      "%s", in.missing);
	check_answers(&in.set, 0, 130);
	finish(&in);

	add_part(&in, 200, 230);
	add_part(&in, 10, 20);
	add_part(&in, 20, 20);
	add_part(&in, 100, 120);
	ck_assert_int_eq(load(&in), 0);
	ck_assert_msg(strstr(in.missing, "from PFN 0x0 to 0x9 ") && strstr(in.missing, "from PFN 0x14 to 0x63 ") &&
		      strstr(in.missing, "from PFN 0x78 to 0xc7 ") && strstr(in.missing, "from PFN 0xe6 to 0x12b "),
		      "%s", in.missing);
	finish(&in);
}
END_TEST

/* So is each file that is truncated or incomplete, and what is missing between them. */
START_TEST(test_all_missing)
{
	const struct kdump_spec part = { .pages = pattern, .split = true, .start = 65, .end = 130 };
	struct input in = { .nr = 0 };

	make_pattern();
	add_part(&in, 0, 65);
	close(in.fds[0]);
	file.len -= PAGE;
	in.fds[0] = unit_file(file.bytes, file.len);
	kdump_build(&file, &part);
	kdump_put32(&file, KDUMP_STATUS, 1 << 3);
	add_file(&in);
	add_part(&in, 200, 300);
	close(in.fds[2]);
	file.len -= 2 * PAGE;
	in.fds[2] = unit_file(file.bytes, file.len);
	ck_assert_int_eq(load(&in), 0);
	ck_assert_msg(strstr(in.missing, "one is truncated") && strstr(in.missing, "two is incomplete") &&
		      strstr(in.missing, "three is truncated") && strstr(in.missing, "from PFN 0x82 to 0xc7 "),
		      "%s", in.missing);
	finish(&in);
}
END_TEST

START_TEST(test_not_a_set)
{
	const struct kdump_spec whole = { .pages = pattern };
	const struct kdump_spec shorter = { .pages = "DDDD", .split = true, .start = 2, .end = 4 };
	struct input in = { .nr = 0 };

	make_pattern();
	add_part(&in, 0, 100);
	add(&in, &whole);
	unit_assert_error(load(&in), EINVAL, in.err, "whole dump");
	ck_assert_ptr_null(in.set.parts);
	finish(&in);

	add_part(&in, 0, 100);
	add_part(&in, 99, 300);
	unit_assert_error(load(&in), EINVAL, in.err, "from PFN 0x63 on");
	finish(&in);

	add_part(&in, 0, 2);
	add(&in, &shorter);
	unit_assert_error(load(&in), EINVAL, in.err, "different dumps");
	finish(&in);

	add_part(&in, 0, 100);
	add_part(&in, 100, 300);
	file.bytes[KDUMP_RELEASE] = '5';
	add_file(&in);
	unit_assert_error(load(&in), EINVAL, in.err, "different dumps");
	finish(&in);
}
END_TEST

/* Descriptors that cannot be true are marked, and no others. */
START_TEST(test_wrong_descriptors)
{
	static const struct { size_t off; uint64_t value; size_t len; } lies[] = {
		{ 8, 0, 4 }, { 8, PAGE - 1, 4 }, { 8, UINT32_MAX, 4 }, { 12, 3, 4 }, { 0, INT64_MAX, 8 },
		{ 0, UINT64_MAX, 8 }, { 0, KDUMP_MAX_LEN, 8 },
	};
	const struct kdump_spec spec = { .pages = pattern };

	make_pattern();
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct input in = { .nr = 0 };

		/* Pages 78 to 83 are dumped; before page 80 there are 54 others. */
		kdump_build(&file, &spec);
		memcpy(file.bytes + file.descs_off + 54 * 24 + lies[i].off, &lies[i].value, lies[i].len);
		add_file(&in);
		ck_assert_int_eq(load(&in), 0);
		ck_assert_uint_eq(kvfs_kdump_set_count_dumped(&in.set, 0, 80), 54);
		ck_assert_uint_eq(judge(&in.set, 78, 6), 1 << 2);
		ck_assert_uint_eq(judge(&in.set, 81, 3), 0);
		finish(&in);
	}
}
END_TEST

/* Wherever a file ends after its bitmaps, what it lacks is reported and marked. */
START_TEST(test_cut)
{
	const struct kdump_spec spec = { .pages = pattern };
	size_t nr, whole;

	make_pattern();
	kdump_build(&file, &spec);
	whole = file.len;
	nr = (file.data_off - file.descs_off) / 24;
	for (size_t lost = 1; lost < nr; lost += 17) {
		struct input in = { .nr = 0 };
		char part[64];

		file.len = whole - lost * PAGE + 1;
		add_file(&in);
		ck_assert_int_eq(load(&in), 0);
		snprintf(part, sizeof(part), "last %zu of its %zu pages", lost, nr);
		ck_assert_ptr_nonnull(in.missing);
		ck_assert_msg(strstr(in.missing, part), "no \"%s\" in \"%s\"", part, in.missing);
		finish(&in);
	}
	/* If it ends among its descriptors, there is no page at all. */
	for (size_t len = file.descs_off; len < file.data_off; len += 1001) {
		struct input in = { .nr = 0 };

		file.len = len;
		add_file(&in);
		ck_assert_int_eq(load(&in), 0);
		ck_assert_ptr_nonnull(in.missing);
		ck_assert_uint_eq(judge(&in.set, 295, 5), 31);
		finish(&in);
	}
}
END_TEST

/* A descriptor that cannot be read now is unavailable, not damaged, and is asked for again. */
START_TEST(test_unavailable)
{
	static const int errors[] = { EIO, ENOMEM };
	const struct kdump_spec spec = { .pages = pattern };

	make_pattern();
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct kvfs_kdump_location locs[KVFS_KDUMP_SET_LOCATE_MAX];
		struct kvfs_dump_result result = { 0 };
		struct input in = { .nr = 0 };

		add(&in, &spec);
		ck_assert_int_eq(load(&in), 0);
		/* Before page 80 there are 54 others. The pread ends with the descriptor of page 79. */
		failpread_at(file.descs_off + 54 * 24, errors[i]);
		kvfs_kdump_set_locate(&in.set, 78, 6, locs, &result);
		ck_assert_uint_eq(result.damaged, 0);
		ck_assert_uint_eq(result.unavailable, 0x3c);
		ck_assert_int_eq(result.error, -errors[i]);
		ck_assert_uint_eq(locs[1].len, PAGE);
		failpread_at(file.descs_off + 52 * 24, errors[i]);
		memset(&result, 0, sizeof(result));
		kvfs_kdump_set_locate(&in.set, 78, 6, locs, &result);
		ck_assert_uint_eq(result.unavailable, 0x3f);
		failpread_off();
		ck_assert_uint_eq(judge(&in.set, 78, 6), 0);
		finish(&in);
	}
}
END_TEST

/* Nor is a file that cannot be read taken for a truncated one. */
START_TEST(test_unavailable_at_load)
{
	const struct kdump_spec spec = { .pages = pattern };
	struct input in = { .nr = 0 };

	make_pattern();
	add(&in, &spec);
	failpread_at(file.data_off - 24, EIO);
	unit_assert_error(load(&in), EIO, in.err, "cannot look through the page descriptors of one");
	failpread_off();
	ck_assert_int_eq(load(&in), 0);
	ck_assert_ptr_null(in.missing);
	finish(&in);
}
END_TEST

START_TEST(test_incomplete)
{
	const struct kdump_spec spec = { .pages = pattern };
	struct input in = { .nr = 0 };

	make_pattern();
	kdump_build(&file, &spec);
	kdump_put32(&file, KDUMP_STATUS, 1 << 3);
	add_file(&in);
	ck_assert_int_eq(load(&in), 0);
	ck_assert_msg(strstr(in.missing, "one is incomplete"), "%s", in.missing);
	finish(&in);
}
END_TEST

START_TEST(test_bad_files)
{
	const struct kdump_spec spec = { .pages = pattern };
	struct input in = { .nr = 0 };

	make_pattern();
	kdump_build(&file, &spec);
	for (size_t len = 0; len < file.descs_off; len += 555) {
		file.len = len;
		add_file(&in);
		unit_assert_error(load(&in), ENODATA, in.err, "one");
		ck_assert_ptr_null(in.set.parts);
		finish(&in);
	}
	in.fds[in.nr++] = -1;
	unit_assert_error(load(&in), EBADF, in.err, "cannot stat one");
	in.nr = 0;
}
END_TEST

START_TEST(test_out_of_memory)
{
	struct input in = { .nr = 0 };
	int ret;

	make_pattern();
	add_part(&in, 0, 100);
	add_part(&in, 100, 300);
	failalloc_try_all(ret, ret = load(&in));
	ck_assert_uint_eq(in.set.nr_parts, 2);
	finish(&in);
}
END_TEST

UNIT_MAIN("dump/kdump_set", test_whole, test_split, test_own_bitmaps, test_gaps, test_all_missing, test_not_a_set,
	  test_wrong_descriptors, test_cut, test_unavailable, test_unavailable_at_load,
	  test_incomplete, test_bad_files, test_out_of_memory)
