// SPDX-License-Identifier: GPL-2.0-only
/* Lines for events, by formats of a fake tracefs. */
#include "kview-trace/decode.h"

#include <errno.h>

#include "failalloc.h"
#include "fake_events.h"
#include "unit.h"

static struct decoder *make(struct fake *fake)
{
	struct decoder_config config = { .numeric = true };
	struct decoder *decoder;
	struct kvfs_err err;

	fake_create(fake, 1);
	fake_events(fake->dir);
	fake_text("7 a-task\n8 other\n", "%s/saved_cmdlines", fake->dir);
	config.tracing = fake->dir;
	ck_assert_int_eq(decoder_create(&config, &decoder, &err), 0);
	return decoder;
}

/* The line for an event; good until the next call. */
static const char *line(struct decoder *decoder, bool is_ns, uint64_t ts, const void *data, uint32_t len)
{
	const struct kvfs_ring_event event = { .ts = ts, .data = data, .len = len };
	static char buf[256];
	FILE *out = fmemopen(buf, sizeof(buf), "w");

	ck_assert_int_eq(decoder_print(decoder, 3, is_ns, &event, out), 0);
	fclose(out);
	return buf;
}

START_TEST(an_event)
{
	const struct fake_hello hello = { .type = FAKE_HELLO, .pid = 7, .number = 42 };
	struct fake fake;
	struct decoder *decoder = make(&fake);

	ck_assert_str_eq(line(decoder, true, 1234567890, &hello, sizeof(hello)),
			 "          a-task-7       [003] .....     1.234568: hello: number=42\n");
	ck_assert_str_eq(line(decoder, false, 1234567890, &hello, sizeof(hello)),
			 "          a-task-7       [003] .....   1234567890: hello: number=42\n");
	decoder_destroy(decoder);
	fake_remove(&fake);
}
END_TEST

START_TEST(a_text_with_a_newline)
{
	const struct {
		struct fake_hello head;
		char text[8];
	} event = { { .type = FAKE_TEXT, .pid = 9 }, "" };
	struct fake fake;
	struct decoder *decoder = make(&fake);
	uint8_t data[16] = { 0 };

	memcpy(data, &event.head, 8);
	memcpy(data + 8, "line\n\n", 6);
	ck_assert_str_eq(line(decoder, true, 0, data, sizeof(data)),
			 "           <...>-9       [003] .....     0.000000: text: line\n");
	decoder_destroy(decoder);
	fake_remove(&fake);
}
END_TEST

START_TEST(events_without_a_format)
{
	const struct fake_hello unknown = { .type = 0x1234, .pid = 7, .number = 1 };
	struct fake fake;
	struct decoder *decoder = make(&fake);

	ck_assert_str_eq(line(decoder, true, 5, &unknown, sizeof(unknown)),
			 "           <unknown> [003] 5: 34 12 00 00 07 00 00 00 01 00 00 00\n");
	/* Too short for the fields that every event has. */
	ck_assert_str_eq(line(decoder, true, 5, &unknown, 4), "           <unknown> [003] 5: 34 12 00 00\n");
	ck_assert_str_eq(line(decoder, true, 5, &unknown, 0), "           <unknown> [003] 5:\n");
	decoder_destroy(decoder);
	fake_remove(&fake);
}
END_TEST

START_TEST(what_is_wrong_is_reported)
{
	const struct fake_hello hello = { .type = FAKE_HELLO };
	const struct kvfs_ring_event event = { .data = &hello, .len = sizeof(hello) };
	struct decoder_config config = { .tracing = "/nonexistent" };
	struct decoder *decoder;
	struct kvfs_err err = { 0 };
	struct fake fake;
	FILE *out = fopen("/dev/null", "w");

	unit_assert_error(decoder_create(&config, &decoder, &err), ENOENT, err, "no event formats in /nonexistent/events");
	decoder = make(&fake);
	failalloc_arm(0);
	ck_assert_int_eq(decoder_print(decoder, 0, true, &event, out), -ENOMEM);
	ck_assert(failalloc_happened());
	decoder_destroy(decoder);
	config.tracing = fake.dir;
	failalloc_arm(0);
	ck_assert_int_eq(decoder_create(&config, &decoder, &err), -ENOMEM);
	ck_assert(failalloc_happened());
	decoder_destroy(NULL);
	fclose(out);
	fake_remove(&fake);
}
END_TEST

UNIT_MAIN("decode",
	an_event,
	a_text_with_a_newline,
	events_without_a_format,
	what_is_wrong_is_reported)
