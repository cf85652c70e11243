// SPDX-License-Identifier: GPL-2.0-only
#include "base/vector.h"

#include <stdint.h>

#include "failalloc.h"
#include "unit.h"

START_TEST(grows_and_keeps_what_it_has)
{
	uint32_t *v = NULL;
	size_t n = 0, cap = 0, moves = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		size_t before = cap;

		ck_assert_int_eq(kvfs_vector_reserve(v, cap, n + 1), 0);
		moves += cap != before;
		v[n++] = i;
	}
	for (uint32_t i = 0; i < 10000; i++)
		ck_assert_uint_eq(v[i], i);
	ck_assert_uint_ge(cap, n);
	ck_assert_uint_le(moves, 12);	/* from 8 on, doubled each time */
	free(v);
}
END_TEST

START_TEST(reserves_any_number)
{
	char *v = NULL;
	size_t cap = 0;

	ck_assert_int_eq(kvfs_vector_reserve(v, cap, 0), 0);
	ck_assert_ptr_null(v);
	ck_assert_int_eq(kvfs_vector_reserve(v, cap, 1000), 0);
	ck_assert_uint_ge(cap, 1000);
	memset(v, 'x', cap);
	free(v);
}
END_TEST

START_TEST(stays_as_it_was_on_failure)
{
	uint64_t *v = NULL, *before;
	size_t cap = 0, cap_before;

	ck_assert_int_eq(kvfs_vector_reserve(v, cap, 1), 0);
	v[0] = 42;
	before = v;
	cap_before = cap;
	failalloc_arm(0);
	ck_assert_int_eq(kvfs_vector_reserve(v, cap, cap + 1), -ENOMEM);
	ck_assert(failalloc_happened());
	ck_assert_ptr_eq(v, before);
	ck_assert_uint_eq(cap, cap_before);
	ck_assert_uint_eq(v[0], 42);
	free(v);
}
END_TEST

START_TEST(sizes_that_do_not_fit)
{
	uint64_t *v = NULL;
	size_t cap = 0;

	ck_assert_int_eq(kvfs_vector_reserve(v, cap, SIZE_MAX), -ENOMEM);
	ck_assert_int_eq(kvfs_vector_reserve(v, cap, SIZE_MAX / 2 + 2), -ENOMEM);
	ck_assert_int_eq(kvfs_vector_reserve(v, cap, SIZE_MAX / 8 + 1), -ENOMEM);
	ck_assert_ptr_null(v);
	ck_assert_uint_eq(cap, 0);
}
END_TEST

UNIT_MAIN("vector", grows_and_keeps_what_it_has, reserves_any_number, stays_as_it_was_on_failure,
	  sizes_that_do_not_fit)
