// SPDX-License-Identifier: GPL-2.0-only
#include "base/number.h"

#include <errno.h>

#include "unit.h"

#define UNSET 7

START_TEST(take)
{
	static const struct {
		const char *text;
		unsigned int base;
		uint64_t max;
		int ret;
		uint64_t value;
		size_t used;
	} cases[] = {
		{ "0", 10, UINT64_MAX, 0, 0, 1 },
		{ "007 ", 10, UINT64_MAX, 0, 7, 3 },
		{ "12ab", 10, UINT64_MAX, 0, 12, 2 },
		{ "12ab", 16, UINT64_MAX, 0, 0x12ab, 4 },
		{ "fFg", 16, UINT64_MAX, 0, 255, 2 },
		{ "0x12", 16, UINT64_MAX, 0, 0, 1 },
		{ "18446744073709551615", 10, UINT64_MAX, 0, UINT64_MAX, 20 },
		{ "18446744073709551616", 10, UINT64_MAX, -ERANGE, UNSET, 20 },
		{ "99999999999999999999 ", 10, UINT64_MAX, -ERANGE, UNSET, 20 },
		{ "ffffffffffffffff", 16, UINT64_MAX, 0, UINT64_MAX, 16 },
		{ "10000000000000000", 16, UINT64_MAX, -ERANGE, UNSET, 17 },
		{ "0000000000000000000000001", 16, UINT64_MAX, 0, 1, 25 },
		{ "255", 10, 255, 0, 255, 3 },
		{ "256", 10, 255, -ERANGE, UNSET, 3 },
		{ "", 10, UINT64_MAX, -EINVAL, UNSET, 0 },
		{ "-1", 10, UINT64_MAX, -EINVAL, UNSET, 0 },
		{ "+1", 10, UINT64_MAX, -EINVAL, UNSET, 0 },
		{ " 1", 10, UINT64_MAX, -EINVAL, UNSET, 0 },
		{ "a", 10, UINT64_MAX, -EINVAL, UNSET, 0 },
		{ "g", 16, UINT64_MAX, -EINVAL, UNSET, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *p = cases[i].text, *end = p + strlen(p);
		uint64_t value = UNSET;

		ck_assert_int_eq(kvfs_number_take(&p, end, cases[i].base, cases[i].max, &value),
				 cases[i].ret);
		ck_assert_uint_eq(value, cases[i].value);
		ck_assert_uint_eq(p - cases[i].text, cases[i].used);
	}
}
END_TEST

/* The character after the text is a digit, which must not be read. */
START_TEST(take_stops_at_the_end)
{
	const char text[] = "123", *p = text;
	uint64_t value;

	ck_assert_int_eq(kvfs_number_take(&p, text + 2, 10, UINT64_MAX, &value), 0);
	ck_assert_uint_eq(value, 12);
	ck_assert_ptr_eq(p, text + 2);
	ck_assert_int_eq(kvfs_number_take(&p, p, 10, UINT64_MAX, &value), -EINVAL);
	ck_assert_int_eq(kvfs_number_parse(text, 2, 10, UINT64_MAX, &value), 0);
	ck_assert_uint_eq(value, 12);
}
END_TEST

START_TEST(take_until)
{
	static const struct {
		const char *text;
		char delimiter;
		int ret;
		size_t used;
	} cases[] = {
		{ "12-34", '-', 0, 3 },
		{ "12", '\0', 0, 2 },
		{ "12-", '\0', -EINVAL, 0 },
		{ "12 ", '-', -EINVAL, 0 },
		{ "12", '-', -EINVAL, 0 },
		{ "-", '-', -EINVAL, 0 },
		{ "101-", '-', -ERANGE, 0 },
		{ "101 ", '-', -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *p = cases[i].text, *end = p + strlen(p);
		uint64_t value = UNSET;

		ck_assert_int_eq(kvfs_number_take_until(&p, end, 10, cases[i].delimiter, 100, &value),
				 cases[i].ret);
		ck_assert_uint_eq(value, cases[i].ret ? UNSET : 12);
		ck_assert_uint_eq(p - cases[i].text, cases[i].used);
	}
}
END_TEST

START_TEST(parse)
{
	uint64_t value = UNSET;

	ck_assert_int_eq(kvfs_number_parse("", 0, 10, 100, &value), -EINVAL);
	ck_assert_int_eq(kvfs_number_parse("12 ", 3, 10, 100, &value), -EINVAL);
	ck_assert_int_eq(kvfs_number_parse("999x", 4, 10, 100, &value), -EINVAL);
	ck_assert_int_eq(kvfs_number_parse("12\0", 3, 10, 100, &value), -EINVAL);
	ck_assert_int_eq(kvfs_number_parse("101", 3, 10, 100, &value), -ERANGE);
	ck_assert_uint_eq(value, UNSET);
	ck_assert_int_eq(kvfs_number_parse("100", 3, 10, 100, &value), 0);
	ck_assert_uint_eq(value, 100);
}
END_TEST

START_TEST(parse_name)
{
	static const char *const others[] = {
		"", "cpu", "cpu01", "cpu00", "cpu-1", "cpu+1", "cpu 1", "cpu1 ", "cpu1x", "cp1", "Cpu1", "xcpu1",
	};
	uint64_t value = UNSET;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_int_eq(kvfs_number_parse_name(others[i], "cpu", 100, &value), -EINVAL);
	ck_assert_int_eq(kvfs_number_parse_name("cpu101", "cpu", 100, &value), -ERANGE);
	ck_assert_uint_eq(value, UNSET);
	ck_assert_int_eq(kvfs_number_parse_name("cpu0", "cpu", 100, &value), 0);
	ck_assert_uint_eq(value, 0);
	ck_assert_int_eq(kvfs_number_parse_name("cpu100", "cpu", 100, &value), 0);
	ck_assert_uint_eq(value, 100);
	ck_assert_int_eq(kvfs_number_parse_name("42", "", 100, &value), 0);
	ck_assert_uint_eq(value, 42);
}
END_TEST

UNIT_MAIN("number", take, take_stops_at_the_end, take_until, parse, parse_name)
