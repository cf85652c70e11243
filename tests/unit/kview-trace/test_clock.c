// SPDX-License-Identifier: GPL-2.0-only
/* The clock of a ring, by its path in a fake tracefs and by what trace_clock says. */
#include "kview-trace/clock.h"

#include <errno.h>

#include "failalloc.h"
#include "trace/fake_tracefs.h"
#include "trace/find.h"
#include "unit.h"

static char tracing[64];
static int find_result;
static bool wants_mount;

int __wrap_kvfs_trace_find(bool mount, char *out, size_t len, struct kvfs_err *err);

int __wrap_kvfs_trace_find(bool mount, char *out, size_t len, struct kvfs_err *err)
{
	wants_mount |= mount;
	snprintf(out, len, "%s", tracing);
	return find_result;
}

START_TEST(texts)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "[local] global counter\n", "local" },
		{ "local global [x86-tsc]\n", "x86-tsc" },
		{ "local global\n", NULL },
		{ "local [global\n", NULL },
		{ "[]\n", NULL },
		{ "]local[\n", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *name = NULL;

		ck_assert_int_eq(clock_parse(cases[i].text, &name), cases[i].want ? 0 : -EBADMSG);
		ck_assert_msg(clock_equal(name, cases[i].want), "%s", cases[i].text);
		free(name);
	}
}
END_TEST

START_TEST(units)
{
	ck_assert(clock_is_ns(NULL));
	ck_assert(clock_is_ns("local"));
	ck_assert(clock_is_ns("tai"));
	ck_assert(!clock_is_ns("counter"));
	ck_assert(!clock_is_ns("uptime"));
	ck_assert(!clock_is_ns("x86-tsc"));
	ck_assert(clock_equal(NULL, NULL));
	ck_assert(!clock_equal(NULL, "local"));
	ck_assert(!clock_equal("local", NULL));
}
END_TEST

static void check_clock(const char *path, const char *want)
{
	struct kvfs_err err = { 0 };
	char *clock;

	ck_assert_int_eq(clock_load(path, &clock, &err), 0);
	ck_assert_msg(clock_equal(clock, want), "%s: %s", path, clock ? clock : "(none)");
	free(clock);
}

START_TEST(by_path)
{
	struct fake fake;
	char path[PATH_MAX];

	fake_create(&fake, 1);
	fake_instance(&fake, "one", 1);
	strcpy(tracing, fake.dir);
	fake_text("[local] mono\n", "%s/trace_clock", fake.dir);
	fake_text("local [mono]\n", "%s/instances/one/trace_clock", fake.dir);
	snprintf(path, sizeof(path), "%s/per_cpu/cpu0/trace_pipe_raw", fake.dir);
	check_clock(path, "local");
	snprintf(path, sizeof(path), "%s/instances/one/per_cpu/cpu0/trace_pipe_raw", fake.dir);
	check_clock(path, "mono");
	/* From the folder itself: the path has no name of the instance. */
	snprintf(path, sizeof(path), "%s/instances/one/per_cpu/cpu0", fake.dir);
	ck_assert_int_eq(chdir(path), 0);
	check_clock("trace_pipe_raw", "mono");
	/* Saved copies. */
	check_clock("/tmp/saved/cpu0", "local");
	check_clock("/tmp/saved/instances/one/cpu0", "mono");
	check_clock("/tmp/saved/instances/gone/cpu0", "local");
	ck_assert_int_eq(chdir("/"), 0);
	/* Neither tracefs nor a file in it. */
	snprintf(path, sizeof(path), "%s/trace_clock", fake.dir);
	ck_assert_int_eq(unlink(path), 0);
	check_clock("/tmp/saved/cpu0", NULL);
	find_result = -ENOENT;
	check_clock("/tmp/saved/cpu0", NULL);
	ck_assert(!wants_mount);
	fake_remove(&fake);
}
END_TEST

START_TEST(what_is_wrong_is_reported)
{
	struct kvfs_err err = { 0 };
	struct fake fake;
	char *clock;
	int ret;

	fake_create(&fake, 1);
	strcpy(tracing, fake.dir);
	fake_text("local\n", "%s/trace_clock", fake.dir);
	unit_assert_error(clock_load("/tmp/saved/cpu0", &clock, &err), EBADMSG, err, "names no clock");
	fake_text("[local]\n", "%s/trace_clock", fake.dir);
	failalloc_try_all(ret, ret = clock_load("/tmp/saved/cpu0", &clock, &err));
	ck_assert_int_eq(ret, 0);
	free(clock);
	fake_remove(&fake);
}
END_TEST

UNIT_MAIN("clock",
	texts,
	units,
	by_path,
	what_is_wrong_is_reported)
