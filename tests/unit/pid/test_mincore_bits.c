// SPDX-License-Identifier: GPL-2.0-only
#include "pid/mincore_bits.h"

#include "pid/kpageflags.h"
#include "pid/pagemap.h"
#include "unit.h"

START_TEST(test_of_entry)
{
	static const struct {
		uint64_t entry, flags;
		bool cached;
		uint8_t want;
	} cases[] = {
		{ 0, 0, true, 0 },
		{ UINT64_C(1) << 55, ~UINT64_C(0), true, 0 },
		{ KVFS_PAGEMAP_PRESENT | KVFS_PAGEMAP_FILE, 0, true, 0x0b },
		{ KVFS_PAGEMAP_PRESENT | KVFS_PAGEMAP_FILE, 0, false, 0x03 },
		{ KVFS_PAGEMAP_PRESENT | KVFS_PAGEMAP_FILE, KVFS_KPF_ANON | KVFS_KPF_SWAPCACHE, true, 0x0b },
		{ KVFS_PAGEMAP_PRESENT, KVFS_KPF_ANON, true, 0x07 },
		{ KVFS_PAGEMAP_PRESENT, KVFS_KPF_ANON | KVFS_KPF_SWAPCACHE, false, 0x17 },
		{ KVFS_PAGEMAP_PRESENT, 0, true, 0x03 },			/* zero page */
		{ KVFS_PAGEMAP_SWAPPED | 1 << 5, KVFS_KPF_SWAPCACHE, true, 0x24 },
		{ KVFS_PAGEMAP_SWAPPED | 30, 0, true, 0x05 },			/* migration */
		{ KVFS_PAGEMAP_SWAPPED | KVFS_PAGEMAP_FILE | 30, 0, true, 0x09 },
		{ KVFS_PAGEMAP_SWAPPED | KVFS_PAGEMAP_FILE | 30, 0, false, 0x01 },
		{ KVFS_PAGEMAP_SWAPPED | 31, 0, true, 0 },			/* marker */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(kvfs_mincore_bits_of_entry(cases[i].entry, cases[i].flags, cases[i].cached) ==
			      cases[i].want, "%zu", i);
}
END_TEST

START_TEST(test_of_categories)
{
	const uint64_t present = KVFS_PAGEMAP_SCAN_PRESENT, file = KVFS_PAGEMAP_SCAN_FILE,
		       zero = KVFS_PAGEMAP_SCAN_PFNZERO, swapped = KVFS_PAGEMAP_SCAN_SWAPPED;

	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(0, true), 0);
	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(swapped, true), 0);
	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(file, true), 0);
	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(present, true), 0x07);
	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(present | zero, false), 0x03);
	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(present | file, true), 0x0b);
	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(present | file, false), 0x03);
}
END_TEST

UNIT_MAIN("mincore_bits", test_of_entry, test_of_categories)
