// SPDX-License-Identifier: GPL-2.0-only
#include "base/checked.h"

#include "unit.h"

START_TEST(add)
{
	uint64_t out = 7;

	ck_assert(kvfs_add_u64(UINT64_MAX - 1, 1, &out));
	ck_assert_uint_eq(out, UINT64_MAX);
	out = 7;
	ck_assert(!kvfs_add_u64(UINT64_MAX, 1, &out));
	ck_assert_uint_eq(out, 7);
}
END_TEST

START_TEST(mul)
{
	uint64_t out = 7;

	ck_assert(kvfs_mul_u64(1ULL << 32, (1ULL << 32) - 1, &out));
	ck_assert_uint_eq(out, UINT64_MAX - UINT32_MAX);
	out = 7;
	ck_assert(!kvfs_mul_u64(1ULL << 32, 1ULL << 32, &out));
	ck_assert_uint_eq(out, 7);
}
END_TEST

START_TEST(align_up)
{
	uint64_t out = 7;

	ck_assert(kvfs_align_up_u64(0, 4096, &out));
	ck_assert_uint_eq(out, 0);
	ck_assert(kvfs_align_up_u64(4097, 4096, &out));
	ck_assert_uint_eq(out, 8192);
	ck_assert(kvfs_align_up_u64(UINT64_MAX - 4095, 4096, &out));
	ck_assert_uint_eq(out, UINT64_MAX - 4095);
	ck_assert(!kvfs_align_up_u64(UINT64_MAX - 4094, 4096, &out));
	ck_assert_uint_eq(out, UINT64_MAX - 4095);
}
END_TEST

START_TEST(fits_loff)
{
	ck_assert(kvfs_fits_loff(0, INT64_MAX));
	ck_assert(kvfs_fits_loff(INT64_MAX, 0));
	ck_assert(!kvfs_fits_loff(INT64_MAX, 1));
	ck_assert(!kvfs_fits_loff(1ULL << 63, 0));
	ck_assert(!kvfs_fits_loff(UINT64_MAX, 1));
}
END_TEST

UNIT_MAIN("checked", add, mul, align_up, fits_loff)
