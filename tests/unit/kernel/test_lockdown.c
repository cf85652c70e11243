// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/lockdown.h"

#include <errno.h>
#include <fcntl.h>

#include "unit.h"

/* A machine whose securityfs has this text; NULL: none is mounted. */
static const char *text;

int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
	ck_assert_str_eq(path, "/sys/kernel/security/lockdown");
	if (!text) {
		errno = ENOENT;
		return -1;
	}
	return unit_file(text, strlen(text));
}

int __wrap_open64(const char *path, int flags, ...)
{
	return __wrap_open(path, flags);
}

START_TEST(settings)
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
		kvfs_lockdown_parse(cases[i].text, strlen(cases[i].text), out, sizeof(out));
		ck_assert_str_eq(out, cases[i].want);
	}
	kvfs_lockdown_parse("[\0\0]", 4, out, sizeof(out));
	ck_assert_str_eq(out, "unknown");
	/* The text ends where its length says. */
	kvfs_lockdown_parse("[none]", 5, out, sizeof(out));
	ck_assert_str_eq(out, "unknown");
}
END_TEST

START_TEST(settings_that_do_not_fit)
{
	char out[10] = "xxxxxxxxx";

	kvfs_lockdown_parse("[abcdefgh]", 10, out, 9);
	ck_assert_str_eq(out, "abcdefgh");
	ck_assert_int_eq(out[9], '\0');
	kvfs_lockdown_parse("[abcdefghi]", 11, out, 9);
	ck_assert_str_eq(out, "unknown");
}
END_TEST

START_TEST(of_a_machine)
{
	static const struct { const char *text, *want; bool confidential; } cases[] = {
		{ "[none] integrity confidentiality\n", "none", false },
		{ "none [integrity] confidentiality\n", "integrity", false },
		{ "none integrity [confidentiality]\n", "confidentiality", true },
		{ "", "unknown", false }, { NULL, "unknown", false },
	};
	char out[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = cases[i].text;
		kvfs_lockdown_load(out, sizeof(out));
		ck_assert_str_eq(out, cases[i].want);
		ck_assert_int_eq(kvfs_lockdown_is_confidential(), cases[i].confidential);
	}
}
END_TEST

UNIT_MAIN("lockdown", settings, settings_that_do_not_fit, of_a_machine)
