// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/features.h"

#include <sys/utsname.h>

#include "extent/uring.h"
#include "unit.h"

START_TEST(lockdown)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "none [integrity] confidentiality\n", "integrity" },
		{ "[none] integrity confidentiality\n", "none" },
		{ "none integrity [confidentiality]", "confidentiality" },
		{ "none integrity confidentiality\n", "unknown" },
		{ "", "unknown" }, { "[", "unknown" }, { "]", "unknown" }, { "[]", "unknown" },
		{ "] [", "unknown" }, { "[no\nne]", "unknown" }, { "[a", "unknown" }, { "[a]", "a" },
	};
	char out[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kvfs_features_parse_lockdown(cases[i].text, strlen(cases[i].text), out, sizeof(out));
		ck_assert_str_eq(out, cases[i].want);
	}
	kvfs_features_parse_lockdown("[\0\0]", 4, out, sizeof(out));
	ck_assert_str_eq(out, "unknown");
	/* The text ends where its length says. */
	kvfs_features_parse_lockdown("[none]", 5, out, sizeof(out));
	ck_assert_str_eq(out, "unknown");
}
END_TEST

START_TEST(lockdown_that_does_not_fit)
{
	char out[10] = "xxxxxxxxx";

	kvfs_features_parse_lockdown("[abcdefgh]", 10, out, 9);
	ck_assert_str_eq(out, "abcdefgh");
	ck_assert_int_eq(out[9], '\0');
	kvfs_features_parse_lockdown("[abcdefghi]", 11, out, 9);
	ck_assert_str_eq(out, "unknown");
}
END_TEST

START_TEST(this_machine)
{
	struct kvfs_features f;
	struct utsname uts;
	const char *reason;

	ck_assert_int_eq(uname(&uts), 0);
	kvfs_features_load(&f);
	ck_assert_str_eq(f.kernel_release, uts.release);
	ck_assert_str_eq(f.machine, uts.machine);
	ck_assert_uint_eq(f.page_size, (size_t)sysconf(_SC_PAGESIZE));
	ck_assert_uint_gt(strlen(f.lockdown), 0);
	ck_assert_int_eq(f.io_uring, kvfs_uring_available(&reason));
	ck_assert_int_eq(f.io_uring, f.io_uring_reason == NULL);
	ck_assert_ptr_eq(f.io_uring_reason, reason);
}
END_TEST

START_TEST(the_reason_is_passed_on)
{
	struct kvfs_features f;

	kvfs_uring_disable();
	kvfs_features_load(&f);
	ck_assert(!f.io_uring);
	ck_assert_str_eq(f.io_uring_reason, "switched off");
}
END_TEST

UNIT_MAIN("features", lockdown, lockdown_that_does_not_fit, this_machine, the_reason_is_passed_on)
