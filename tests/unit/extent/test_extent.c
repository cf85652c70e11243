// SPDX-License-Identifier: GPL-2.0-only
#include "extent/extent.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"

static struct kvfs_extent file_extent(uint64_t off, uint64_t len)
{
	return (struct kvfs_extent){ .off = off, .len = len, .kind = KVFS_EXTENT_FILE };
}

static int add(struct kvfs_extents *t, uint64_t off, uint64_t len)
{
	struct kvfs_extent e = file_extent(off, len);

	return kvfs_extents_add(t, &e);
}

/* [10, 20) [20, 25) hole [30, 31) hole up to 50 */
static struct kvfs_extents sample(void)
{
	struct kvfs_extents t = { 0 };

	ck_assert_int_eq(add(&t, 10, 10), 0);
	ck_assert_int_eq(add(&t, 20, 5), 0);
	ck_assert_int_eq(add(&t, 30, 1), 0);
	t.size = 50;
	return t;
}

START_TEST(add_keeps_order)
{
	struct kvfs_extents t = sample();

	ck_assert_int_eq(add(&t, 30, 1), -EINVAL);
	ck_assert_int_eq(add(&t, 29, 5), -EINVAL);
	ck_assert_int_eq(add(&t, 0, 1), -EINVAL);
	ck_assert_int_eq(add(&t, 60, 0), -EINVAL);
	ck_assert_uint_eq(t.n, 3);
	ck_assert_uint_eq(t.size, 50);
	ck_assert_int_eq(add(&t, 31, 1), 0);
	ck_assert_uint_eq(t.size, 50);
	ck_assert_int_eq(add(&t, 49, 2), 0);
	ck_assert_uint_eq(t.size, 51);
	kvfs_extents_deinit(&t);
	ck_assert_ptr_null(t.v);
	ck_assert_uint_eq(t.n + t.size, 0);
	kvfs_extents_deinit(&t);
	kvfs_extents_deinit(NULL);
}
END_TEST

START_TEST(add_checks_ends)
{
	struct kvfs_extents t = { 0 };
	struct kvfs_extent e = file_extent(0, 16);

	ck_assert_int_eq(add(&t, UINT64_MAX, 1), -EOVERFLOW);
	ck_assert_int_eq(add(&t, 1, UINT64_MAX), -EOVERFLOW);
	ck_assert_int_eq(add(&t, 1ULL << 63, 1), -EOVERFLOW);
	ck_assert_int_eq(add(&t, INT64_MAX, 1), -EOVERFLOW);
	e.file_off = INT64_MAX - 15;
	ck_assert_int_eq(kvfs_extents_add(&t, &e), -EOVERFLOW);
	e.kind = KVFS_EXTENT_RAM;
	ck_assert_int_eq(kvfs_extents_add(&t, &e), -EOVERFLOW);
	e.file_off = KVFS_NO_FILE_OFF;
	e.paddr = UINT64_MAX - 15;
	ck_assert_int_eq(kvfs_extents_add(&t, &e), -EOVERFLOW);
	e.paddr = 0;
	e.vaddr = UINT64_MAX - 14;
	ck_assert_int_eq(kvfs_extents_add(&t, &e), -EOVERFLOW);
	ck_assert_uint_eq(t.n + t.size, 0);
	e.vaddr = UINT64_MAX - 15;
	ck_assert_int_eq(kvfs_extents_add(&t, &e), 0);
	ck_assert_int_eq(add(&t, INT64_MAX - 1, 1), 0);
	ck_assert_uint_eq(t.size, INT64_MAX);
	kvfs_extents_deinit(&t);
}
END_TEST

START_TEST(add_without_memory_changes_nothing)
{
	struct kvfs_extents t = { 0 };

	for (uint64_t i = 0; i < 8; i++)
		ck_assert_int_eq(add(&t, i * 2, 1), 0);
	failalloc_arm(0);
	ck_assert_int_eq(add(&t, 100, 1), -ENOMEM);
	ck_assert(failalloc_happened());
	ck_assert_uint_eq(t.n, 8);
	ck_assert_uint_eq(t.size, 15);
	ck_assert_int_eq(add(&t, 100, 1), 0);
	kvfs_extents_deinit(&t);
}
END_TEST

START_TEST(find_is_the_first_that_ends_beyond)
{
	static const struct { uint64_t off; size_t index; } cases[] = {
		{ 0, 0 }, { 9, 0 }, { 10, 0 }, { 19, 0 }, { 20, 1 }, { 24, 1 }, { 25, 2 }, { 29, 2 },
		{ 30, 2 }, { 31, 3 }, { 49, 3 }, { UINT64_MAX, 3 },
	};
	struct kvfs_extents t = sample(), empty = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_uint_eq(kvfs_extents_find(&t, cases[i].off), cases[i].index);
	ck_assert_uint_eq(kvfs_extents_find(&empty, 0), 0);
	kvfs_extents_deinit(&t);
}
END_TEST

START_TEST(data_len_counts_extents)
{
	struct kvfs_extents t = sample(), empty = { .size = 100 };

	ck_assert_uint_eq(kvfs_extents_data_len(&t), 16);
	ck_assert_uint_eq(kvfs_extents_data_len(&empty), 0);
	kvfs_extents_deinit(&t);
}
END_TEST

START_TEST(seek_data_and_hole)
{
	static const struct { uint64_t off; int64_t data, hole; } cases[] = {
		{ 0, 10, 0 }, { 9, 10, 9 }, { 10, 10, 25 }, { 15, 15, 25 }, { 20, 20, 25 },
		{ 24, 24, 25 }, { 25, 30, 25 }, { 30, 30, 31 }, { 31, -ENXIO, 31 },
		{ 49, -ENXIO, 49 }, { 50, -ENXIO, -ENXIO }, { INT64_MAX, -ENXIO, -ENXIO },
	};
	struct kvfs_extents t = sample();
	uint64_t out;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int data = kvfs_extents_seek(&t, cases[i].off, SEEK_DATA, &out);

		ck_assert_int_eq(data ? data : (int64_t)out, cases[i].data);
		data = kvfs_extents_seek(&t, cases[i].off, SEEK_HOLE, &out);
		ck_assert_int_eq(data ? data : (int64_t)out, cases[i].hole);
	}
	ck_assert_int_eq(kvfs_extents_seek(&t, 0, SEEK_SET, &out), -EINVAL);
	ck_assert_int_eq(kvfs_extents_seek(&t, 50, SEEK_CUR, &out), -EINVAL);
	kvfs_extents_deinit(&t);
}
END_TEST

START_TEST(seek_finds_the_hole_at_the_end)
{
	struct kvfs_extents t = { 0 };
	uint64_t out;

	ck_assert_int_eq(add(&t, 0, 8), 0);
	ck_assert_int_eq(kvfs_extents_seek(&t, 3, SEEK_HOLE, &out), 0);
	ck_assert_uint_eq(out, 8);
	ck_assert_int_eq(kvfs_extents_seek(&t, 8, SEEK_HOLE, &out), -ENXIO);
	kvfs_extents_deinit(&t);
}
END_TEST

START_TEST(cut_makes_pieces)
{
	struct kvfs_extents t = sample();
	struct kvfs_extent_piece p[8];
	size_t covered;

	ck_assert_uint_eq(kvfs_extents_cut(&t, 5, 100, p, 8, &covered), 6);
	ck_assert_uint_eq(covered, 45);
	ck_assert_ptr_null(p[0].extent);
	ck_assert_uint_eq(p[0].len, 5);
	ck_assert_ptr_eq(p[1].extent, &t.v[0]);
	ck_assert_uint_eq(p[1].len, 10);
	ck_assert_uint_eq(p[1].buf_off, 5);
	ck_assert_ptr_eq(p[2].extent, &t.v[1]);
	ck_assert_ptr_null(p[3].extent);
	ck_assert_uint_eq(p[3].len, 5);
	ck_assert_ptr_eq(p[4].extent, &t.v[2]);
	ck_assert_uint_eq(p[4].len, 1);
	ck_assert_ptr_null(p[5].extent);
	ck_assert_uint_eq(p[5].buf_off, 26);
	ck_assert_uint_eq(p[5].len, 19);
	/* An offset inside an extent. */
	ck_assert_uint_eq(kvfs_extents_cut(&t, 13, 4, p, 8, &covered), 1);
	ck_assert_ptr_eq(p[0].extent, &t.v[0]);
	ck_assert_uint_eq(p[0].extent_off, 3);
	ck_assert_uint_eq(p[0].len, 4);
	kvfs_extents_deinit(&t);
}
END_TEST

START_TEST(cut_can_be_carried_on_with)
{
	struct kvfs_extents t = sample();
	struct kvfs_extent_piece p[1];
	size_t covered, pieces = 0;

	for (uint64_t off = 0; kvfs_extents_cut(&t, off, 100, p, 1, &covered); off += covered) {
		ck_assert_uint_eq(covered, p[0].len);
		ck_assert_uint_eq(p[0].buf_off, 0);
		pieces++;
	}
	ck_assert_uint_eq(pieces, 6);
	kvfs_extents_deinit(&t);
}
END_TEST

START_TEST(cut_has_ends)
{
	struct kvfs_extents t = sample(), empty = { 0 };
	struct kvfs_extent_piece p[8];
	size_t covered = 7;

	ck_assert_uint_eq(kvfs_extents_cut(&t, 50, 1, p, 8, &covered), 0);
	ck_assert_uint_eq(covered, 0);
	ck_assert_uint_eq(kvfs_extents_cut(&t, UINT64_MAX, SIZE_MAX, p, 8, &covered), 0);
	ck_assert_uint_eq(kvfs_extents_cut(&t, 10, 0, p, 8, &covered), 0);
	ck_assert_uint_eq(kvfs_extents_cut(&t, 10, 5, p, 0, &covered), 0);
	ck_assert_uint_eq(kvfs_extents_cut(&empty, 0, 1, p, 8, &covered), 0);
	ck_assert_uint_eq(kvfs_extents_cut(&t, 49, SIZE_MAX, p, 8, &covered), 1);
	ck_assert_uint_eq(covered, 1);
	kvfs_extents_deinit(&t);
}
END_TEST

/* Fills an empty table at random, and map with the number, from 1, of the extent of each byte. */
static void make_random(struct kvfs_extents *t, unsigned char *map, unsigned int seed)
{
	uint64_t off = 0;

	srand(seed);
	while ((off += (uint64_t)(rand() % 5)) < 100) {
		uint64_t len = 1 + (uint64_t)(rand() % 6);

		ck_assert_int_eq(add(t, off, len), 0);
		memset(map + off, (int)t->n, len);
		off += len;
	}
	t->size += (uint64_t)(rand() % 8);
}

static bool seek_agrees(const struct kvfs_extents *t, const unsigned char *map, uint64_t off)
{
	uint64_t data = off, hole = off, out;
	int ret;

	while (data < t->size && !map[data])
		data++;
	while (hole < t->size && map[hole])
		hole++;
	if (kvfs_extents_seek(t, off, SEEK_HOLE, &out) || out != hole)
		return false;
	ret = kvfs_extents_seek(t, off, SEEK_DATA, &out);
	return data == t->size ? ret == -ENXIO : !ret && out == data;
}

static bool cut_agrees(const struct kvfs_extents *t, const unsigned char *map, uint64_t off)
{
	struct kvfs_extent_piece p[64];
	size_t covered, n = kvfs_extents_cut(t, off, 40, p, 64, &covered), at = 0;

	if (covered != (t->size - off < 40 ? t->size - off : 40))
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t which = p[i].extent ? (size_t)(p[i].extent - t->v) + 1 : 0;

		if (p[i].buf_off != at || !p[i].len)
			return false;
		for (size_t j = 0; j < p[i].len; j++, at++)
			if (map[off + at] != which)
				return false;
		if (p[i].extent && p[i].extent->off + p[i].extent_off != off + p[i].buf_off)
			return false;
	}
	return at == covered;
}

/* Compared with a simple model: an array with a byte for each byte of the view. */
START_TEST(all_agrees_with_a_byte_map)
{
	for (unsigned int seed = 1; seed <= 500; seed++) {
		unsigned char map[128] = { 0 };
		struct kvfs_extents t = { 0 };

		make_random(&t, map, seed);
		for (uint64_t off = 0; off < t.size; off++)
			if (!seek_agrees(&t, map, off) || !cut_agrees(&t, map, off))
				ck_abort_msg("seed %u, offset %d", seed, (int)off);
		kvfs_extents_deinit(&t);
	}
}
END_TEST

UNIT_MAIN("extent", add_keeps_order, add_checks_ends, add_without_memory_changes_nothing,
	  find_is_the_first_that_ends_beyond, data_len_counts_extents, seek_data_and_hole,
	  seek_finds_the_hole_at_the_end, cut_makes_pieces, cut_can_be_carried_on_with,
	  cut_has_ends, all_agrees_with_a_byte_map)
