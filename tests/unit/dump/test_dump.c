// SPDX-License-Identifier: GPL-2.0-only
#include "dump/dump.h"

#include <errno.h>

#include "failalloc.h"
#include "space_dump.h"
#include "unit.h"

START_TEST(test_seg_tables)
{
	struct kvfs_dump *dump = new_dump();
	struct kvfs_extents t;
	int ret;

	give_segments(dump);
	failalloc_try_all(ret, ret = kvfs_dump_seg_table(dump, 1, &t));
	ck_assert_uint_eq(t.size, 5 * PAGE);
	ck_assert_uint_eq(t.v[0].file_off, 0x4000);	/* without a file the space is physical */
	kvfs_extents_deinit(&t);
	dump->fd = unit_file(NULL, 0);
	ck_assert_int_eq(kvfs_dump_seg_table(dump, 1, &t), 0);
	ck_assert_uint_eq(t.v[0].file_off, 0x20000);
	ck_assert_uint_eq(t.v[0].len, 4 * PAGE);
	kvfs_extents_deinit(&t);
	ck_assert_int_eq(kvfs_dump_seg_table(dump, 2, &t), 0);
	ck_assert_uint_eq(t.n, 0);
	ck_assert_uint_eq(t.size, PAGE);
	kvfs_extents_deinit(&t);
	kvfs_dump_close(dump);
}
END_TEST

/* A page from memory, then pages 8 to 71 of the space as 64 extents with holes between them. */
static void make_table(struct kvfs_extents *t, const char *blob)
{
	struct kvfs_extent e = { .len = PAGE, .kind = KVFS_EXTENT_BLOB, .blob = blob };

	*t = (struct kvfs_extents) { 0 };
	ck_assert_int_eq(kvfs_extents_add(t, &e), 0);
	e.kind = KVFS_EXTENT_FILE;
	for (uint64_t i = 0; i < 64; i++) {
		e.off = (2 * i + 1) * PAGE;
		e.file_off = (8 + i) * PAGE;
		ck_assert_int_eq(kvfs_extents_add(t, &e), 0);
	}
	t->size = 130 * PAGE;
}

START_TEST(test_read)
{
	static unsigned char buf[131 * PAGE];
	struct kvfs_dump *dump = new_dump();
	char blob[PAGE];
	struct kvfs_extents t;

	memset(blob, 0xbb, sizeof(blob));
	make_table(&t, blob);
	memset(buf, 0xee, sizeof(buf));
	ck_assert_int_eq(kvfs_dump_read(dump, &t, buf, sizeof(buf), 0), 130 * PAGE);
	for (size_t i = 0; i < 130; i++) {
		unsigned int want = i == 0 ? 0xbb : i % 2 == 0 || i > 127 ? 0 : (unsigned int)(8 + i / 2);

		ck_assert_uint_eq(buf[i * PAGE], want);
		ck_assert_uint_eq(buf[i * PAGE + PAGE - 1], want);
	}
	ck_assert_uint_eq(buf[130 * PAGE], 0xee);
	ck_assert_int_eq(kvfs_dump_read(dump, &t, buf, 2, PAGE - 1), 2);
	ck_assert(buf[0] == 0xbb && buf[1] == 8);
	ck_assert_int_eq(kvfs_dump_read(dump, &t, buf, 1, 130 * PAGE), 0);
	ck_assert_int_eq(kvfs_dump_read(dump, &t, buf, 1, UINT64_MAX), 0);
	kvfs_extents_deinit(&t);
	kvfs_dump_close(dump);
}
END_TEST

/* An error after good bytes is an error of the read: a short read would look like the end. */
START_TEST(test_read_error)
{
	const struct kvfs_extent e = { .len = 20 * PAGE, .kind = KVFS_EXTENT_FILE, .file_off = 95 * PAGE };
	struct kvfs_dump *dump = new_dump();
	unsigned char buf[PAGE];

	ck_assert_int_eq(kvfs_extents_add(&dump->ram, &e), 0);
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->ram, buf, 1, 5 * PAGE - 1), 1);
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->ram, buf, 2, 5 * PAGE - 1), -EIO);
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->ram, buf, PAGE, 15 * PAGE), PAGE);
	ck_assert_int_eq(kvfs_dump_read_phys(dump, buf, 1, 5 * PAGE), -EIO);
	kvfs_dump_close(dump);
}
END_TEST

/* The table's own holes and what is left out of an extent are both holes. */
START_TEST(test_seek)
{
	static const struct { uint64_t off; int whence; uint64_t want; } steps[] = {
		{ 0, SEEK_DATA, 0 }, { 0, SEEK_HOLE, 2 * PAGE },	/* page 0, then page 8 of the space */
		{ 2 * PAGE, SEEK_DATA, 3 * PAGE }, { 3 * PAGE + 5, SEEK_HOLE, 4 * PAGE },
		{ 6 * PAGE, SEEK_DATA, 9 * PAGE },	/* page 11 of the space is left out */
		{ 7 * PAGE + 1, SEEK_HOLE, 7 * PAGE + 1 },
		{ 124 * PAGE, SEEK_DATA, 125 * PAGE }, { 128 * PAGE, SEEK_HOLE, 128 * PAGE },
	};
	struct kvfs_dump *dump = new_dump();
	char blob[PAGE] = "";
	struct kvfs_extents t;
	uint64_t found;

	make_table(&t, blob);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ck_assert_int_eq(kvfs_dump_seek(dump, &t, steps[i].off, steps[i].whence, &found), 0);
		ck_assert_msg(found == steps[i].want, "step %zu: %#lx", i, found);
	}
	ck_assert_int_eq(kvfs_dump_seek(dump, &t, 127 * PAGE, SEEK_DATA, &found), -ENXIO);
	ck_assert_int_eq(kvfs_dump_seek(dump, &t, 130 * PAGE, SEEK_HOLE, &found), -ENXIO);
	ck_assert_int_eq(kvfs_dump_seek(dump, &t, 0, SEEK_SET, &found), -EINVAL);
	kvfs_extents_deinit(&t);
	kvfs_dump_close(dump);
}
END_TEST

START_TEST(test_close)
{
	struct kvfs_dump *dump = new_dump();

	/* The sanitizer sees that all of it is freed. */
	give_segments(dump);
	dump->core_head = malloc(1);
	dump->vmcoreinfo = strdup("A=1");
	dump->missing = strdup("something");
	kvfs_dump_close(dump);
	kvfs_dump_close(NULL);
}
END_TEST

UNIT_MAIN("dump/dump", test_seg_tables, test_read, test_read_error, test_seek, test_close)
