// SPDX-License-Identifier: GPL-2.0-only
#include "dump/pfnmap.h"

#include <errno.h>

#include "base/cleanup.h"
#include "unit.h"

#define NR_BITS 20001

static unsigned char bits[NR_BITS / 8 + 8];

static bool bit(uint64_t pfn)
{
	return pfn < NR_BITS && (bits[pfn / 8] >> pfn % 8 & 1);
}

static void load(struct kvfs_pfnmap *map)
{
	_cleanup_close_ int fd = -1;
	unsigned int seed = 1;

	/* Runs and holes of all lengths, up to some blocks of the index. */
	for (uint64_t pfn = 0; pfn < NR_BITS;) {
		uint64_t run = (uint64_t)rand_r(&seed) % (rand_r(&seed) % 8 ? 70 : 9000) + 1;
		bool set = rand_r(&seed) % 2;

		for (; run > 0 && pfn < NR_BITS; run--, pfn++)
			if (set)
				bits[pfn / 8] |= (unsigned char)(1 << pfn % 8);
	}
	/* Bits past the end are not the map's. */
	bits[NR_BITS / 8] |= 0xfe;
	fd = unit_file(bits, sizeof(bits));
	ck_assert_int_eq(kvfs_pfnmap_load(fd, 0, NR_BITS, map), 0);
}

START_TEST(test_all)
{
	struct kvfs_pfnmap map;
	uint64_t rank = 0;

	load(&map);
	for (uint64_t pfn = 0; pfn < NR_BITS + 100; pfn++) {
		ck_assert(kvfs_pfnmap_test(&map, pfn) == bit(pfn));
		ck_assert_uint_eq(kvfs_pfnmap_rank(&map, pfn), rank);
		rank += bit(pfn);
	}
	ck_assert_uint_eq(kvfs_pfnmap_rank(&map, UINT64_MAX), rank);
	kvfs_pfnmap_deinit(&map);
}
END_TEST

START_TEST(test_next)
{
	static const uint64_t ends[] = { 0, 1, 63, 64, 65, 5000, NR_BITS, NR_BITS + 7, UINT64_MAX };
	struct kvfs_pfnmap map;

	load(&map);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		uint64_t end = ends[i];

		for (uint64_t pfn = 0; pfn < NR_BITS && pfn < end; pfn += 13) {
			uint64_t set = pfn, clear = pfn;

			while (set < end && set < NR_BITS && !bit(set))
				set++;
			while (clear < end && clear < NR_BITS && bit(clear))
				clear++;
			if (set == NR_BITS)
				set = end;
			if (clear == NR_BITS)
				clear = end;
			ck_assert_uint_eq(kvfs_pfnmap_next_set(&map, pfn, end), set);
			ck_assert_uint_eq(kvfs_pfnmap_next_clear(&map, pfn, end), clear);
		}
	}
	ck_assert_uint_eq(kvfs_pfnmap_next_set(&map, NR_BITS, NR_BITS + 1), NR_BITS + 1);
	kvfs_pfnmap_deinit(&map);
}
END_TEST

START_TEST(test_errors)
{
	_cleanup_close_ int fd = unit_file("\xff", 1);
	struct kvfs_pfnmap map;

	ck_assert_int_eq(kvfs_pfnmap_load(fd, 0, 9, &map), -ENODATA);
	ck_assert_int_eq(kvfs_pfnmap_load(fd, 1, 1, &map), -ENODATA);
	ck_assert_int_eq(kvfs_pfnmap_load(fd, 0, KVFS_PFNMAP_MAX_LEN * 8 + 1, &map), -EFBIG);
	ck_assert_int_eq(kvfs_pfnmap_load(-1, 0, 8, &map), -EBADF);
	ck_assert_int_eq(kvfs_pfnmap_load(fd, 0, 8, &map), 0);
	ck_assert_uint_eq(kvfs_pfnmap_rank(&map, 8), 8);
	kvfs_pfnmap_deinit(&map);
	kvfs_pfnmap_deinit(&map);
	kvfs_pfnmap_deinit(NULL);
}
END_TEST

UNIT_MAIN("dump/pfnmap", test_all, test_next, test_errors)
