// SPDX-License-Identifier: GPL-2.0-only
#include "kview-pages/flags.h"

#include <ctype.h>
#include <linux/kernel-page-flags.h>

#include "unit.h"

struct macro {
	const char *name;
	unsigned int bit;
};

#define MACRO(name) { #name, KPF_##name }

/* All of linux/kernel-page-flags.h, by the order of its bits. */
static const struct macro macros[] = {
	MACRO(LOCKED), MACRO(ERROR), MACRO(REFERENCED), MACRO(UPTODATE), MACRO(DIRTY), MACRO(LRU), MACRO(ACTIVE),
	MACRO(SLAB), MACRO(WRITEBACK), MACRO(RECLAIM), MACRO(BUDDY), MACRO(MMAP), MACRO(ANON), MACRO(SWAPCACHE),
	MACRO(SWAPBACKED), MACRO(COMPOUND_HEAD), MACRO(COMPOUND_TAIL), MACRO(HUGE), MACRO(UNEVICTABLE),
	MACRO(HWPOISON), MACRO(NOPAGE), MACRO(KSM), MACRO(THP), MACRO(OFFLINE), MACRO(ZERO_PAGE), MACRO(IDLE),
	MACRO(PGTABLE),
};

/* The kernel's hidden flags: include/linux/kernel-page-flags.h. */
static const struct macro hidden[] = {
	{ "RESERVED", 32 }, { "MLOCKED", 33 }, { "OWNER_2", 34 }, { "PRIVATE", 35 }, { "PRIVATE_2", 36 },
	{ "OWNER_PRIVATE", 37 }, { "ARCH", 38 }, { "UNCACHED", 39 }, { "SOFTDIRTY", 40 }, { "ARCH_2", 41 },
	{ "ARCH_3", 42 },
};

/* Asserts that the bit has the macro's name in lower case. */
static void check_name(const struct macro *macro)
{
	char lower[32] = "";

	for (size_t i = 0; macro->name[i]; i++)
		lower[i] = tolower((unsigned char)macro->name[i]);
	ck_assert_pstr_eq(flags_name(macro->bit), lower);
}

START_TEST(test_names)
{
	size_t named = 0;

	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
		check_name(&macros[i]);
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		check_name(&hidden[i]);
	for (unsigned int bit = 0; bit < 64; bit++)
		named += flags_name(bit) != NULL;
	ck_assert_uint_eq(named, (sizeof(macros) + sizeof(hidden)) / sizeof(macros[0]));
	ck_assert_ptr_null(flags_name(64));
	ck_assert_ptr_null(flags_name(UINT32_MAX));
}
END_TEST

START_TEST(test_format)
{
	char out[1024] = "old";

	ck_assert_uint_eq(flags_format(0, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "");
	flags_format(1 << KPF_MMAP | 1 << KPF_LRU | 1 << KPF_ANON, out, sizeof(out));
	ck_assert_str_eq(out, "lru,mmap,anon");
	/* Flags of a kernel that is newer than the table are shown, too. */
	flags_format(UINT64_C(1) << 63 | UINT64_C(1) << 42 | UINT64_C(1) << 31, out, sizeof(out));
	ck_assert_str_eq(out, "bit31,arch_3,bit63");
	ck_assert_uint_lt(flags_format(UINT64_MAX, out, sizeof(out)), sizeof(out));
}
END_TEST

START_TEST(test_short_buffer)
{
	const uint64_t flags = 1 << KPF_LRU | 1 << KPF_MMAP | UINT64_C(1) << 50;
	const char *whole = "lru,mmap,bit50";

	ck_assert_uint_eq(flags_format(flags, NULL, 0), strlen(whole));
	for (size_t size = 1; size <= strlen(whole) + 1; size++) {
		char *out = malloc(size);	/* of that size, so that sanitizers see a byte too far */

		ck_assert_ptr_nonnull(out);
		ck_assert_uint_eq(flags_format(flags, out, size), strlen(whole));
		ck_assert_uint_eq(strlen(out), size - 1);
		ck_assert_int_eq(strncmp(out, whole, size - 1), 0);
		free(out);
	}
}
END_TEST

UNIT_MAIN("flags", test_names, test_format, test_short_buffer)
