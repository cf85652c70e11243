// SPDX-License-Identifier: GPL-2.0-only
/* Formats of a fake tracefs: found once, and with errors that differ from "there is none". */
#include "kview-trace/formats.h"

#include <errno.h>
#include <traceevent/event-parse.h>

#include "failalloc.h"
#include "fake_events.h"
#include "unit.h"

static unsigned int nr_opens;
static int fail_open;

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);

int __wrap_open64(const char *path, int flags, ...)
{
	nr_opens++;
	if (!fail_open)
		return __real_open64(path, flags);
	errno = fail_open;
	return -1;
}

static struct formats *make(struct fake *fake)
{
	struct formats *formats;

	fake_create(fake, 1);
	fake_events(fake->dir);
	ck_assert_int_eq(formats_open(fake->dir, &formats), 0);
	return formats;
}

START_TEST(found_once)
{
	struct fake fake;
	struct formats *formats = make(&fake);
	struct tep_handle *tep = tep_alloc();

	ck_assert_ptr_null(tep_find_event(tep, FAKE_HELLO));
	ck_assert_int_eq(formats_load(formats, tep, FAKE_HELLO), 1);
	ck_assert_str_eq(tep_find_event(tep, FAKE_HELLO)->name, "hello");
	ck_assert_str_eq(tep_find_event(tep, FAKE_HELLO)->system, "unit");
	ck_assert_int_eq(formats_load(formats, tep, 9), 0);
	nr_opens = 0;
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(formats_load(formats, tep, FAKE_HELLO), 1);
		ck_assert_int_eq(formats_load(formats, tep, UINT16_MAX), 0);
	}
	ck_assert_uint_eq(nr_opens, 0);
	formats_close(formats);
	tep_free(tep);
	fake_remove(&fake);
}
END_TEST

START_TEST(events_without_a_format)
{
	struct fake fake;
	struct formats *formats;
	struct tep_handle *tep = tep_alloc();

	formats = make(&fake);
	fake_mkdir("%s/events/unit/empty", fake.dir);
	fake_mkdir("%s/events/unit/odd", fake.dir);
	fake_text("4711x\n65536\n", "%s/events/unit/odd/id", fake.dir);
	fake_mkdir("%s/events/unit/large", fake.dir);
	fake_text("65536\n", "%s/events/unit/large/id", fake.dir);
	fake_event(fake.dir, "unit", "broken", 301, "\tnonsense\n");
	ck_assert_int_eq(formats_load(formats, tep, 0), 0);
	ck_assert_int_eq(formats_load(formats, tep, FAKE_TEXT), 1);
	ck_assert_int_eq(formats_load(formats, tep, 302), 0);
	ck_assert_int_ge(formats_load(formats, tep, 301), 0);
	formats_close(formats);
	tep_free(tep);
	fake_remove(&fake);
}
END_TEST

START_TEST(no_folder)
{
	struct formats *formats;
	struct fake fake;

	fake_create(&fake, 1);
	ck_assert_int_eq(formats_open("/nonexistent", &formats), -ENOENT);
	ck_assert_int_eq(formats_open(fake.dir, &formats), -ENOENT);
	fake_mkdir("%s/events", fake.dir);
	ck_assert_int_eq(formats_open(fake.dir, &formats), -ENOENT);
	formats_close(NULL);
	fake_remove(&fake);
}
END_TEST

START_TEST(failures_are_reported)
{
	struct fake fake;
	struct formats *formats = make(&fake);
	struct tep_handle *tep = tep_alloc();

	fail_open = EMFILE;
	ck_assert_int_eq(formats_load(formats, tep, FAKE_HELLO), -EMFILE);
	fail_open = 0;
	ck_assert_int_eq(formats_load(formats, tep, FAKE_HELLO), 1);
	/* Found already, but not loaded. */
	fail_open = EMFILE;
	ck_assert_int_eq(formats_load(formats, tep, FAKE_TEXT), -EMFILE);
	fail_open = 0;
	ck_assert_int_eq(formats_load(formats, tep, FAKE_TEXT), 1);
	formats_close(formats);
	failalloc_arm(0);
	ck_assert_int_eq(formats_open(fake.dir, &formats), -ENOMEM);
	ck_assert(failalloc_happened());
	ck_assert_int_eq(formats_open(fake.dir, &formats), 0);
	failalloc_arm(0);
	ck_assert_int_eq(formats_load(formats, tep, FAKE_HELLO), -ENOMEM);
	ck_assert(failalloc_happened());
	ck_assert_int_eq(formats_load(formats, tep, FAKE_HELLO), 1);
	formats_close(formats);
	tep_free(tep);
	fake_remove(&fake);
}
END_TEST

UNIT_MAIN("formats",
	found_once,
	events_without_a_format,
	no_folder,
	failures_are_reported)
