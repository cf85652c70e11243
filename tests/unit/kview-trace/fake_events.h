/* SPDX-License-Identifier: GPL-2.0-only */
/* A tracing folder with formats of two events, and rings that hold such events. */
#ifndef FAKE_EVENTS_H
#define FAKE_EVENTS_H

#include "trace/fake_tracefs.h"

#define FAKE_HELLO 300		/* with a number, which it prints */
#define FAKE_TEXT 5		/* with a text, as ftrace/print has it */

#define FAKE_COMMON \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n" \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n" \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

static inline void fake_event(const char *dir, const char *system, const char *event, unsigned int id,
			      const char *fields)
{
	char text[1024];
	struct stat st;

	snprintf(text, sizeof(text), "%s/events/%s", dir, system);
	if (stat(text, &st) < 0)
		fake_mkdir("%s", text);
	fake_mkdir("%s/events/%s/%s", dir, system, event);
	snprintf(text, sizeof(text), "%u\n", id);
	fake_text(text, "%s/events/%s/%s/id", dir, system, event);
	snprintf(text, sizeof(text), "name: %s\nID: %u\nformat:\n" FAKE_COMMON "%s\n", event, id, fields);
	fake_text(text, "%s/events/%s/%s/format", dir, system, event);
}

static inline void fake_events(const char *dir)
{
	fake_mkdir("%s/events", dir);
	fake_text("", "%s/events/header_page", dir);
	fake_event(dir, "unit", "hello", FAKE_HELLO,
		   "\tfield:u32 number;\toffset:8;\tsize:4;\tsigned:0;\n\n"
		   "print fmt: \"number=%u\", REC->number");
	fake_event(dir, "ftrace", "text", FAKE_TEXT,
		   "\tfield:char buf;\toffset:8;\tsize:0;\tsigned:0;\n\n"
		   "print fmt: \"%s\", REC->buf");
}

struct fake_hello {
	uint16_t type;
	uint8_t flags, preempt_count;
	int32_t pid;
	uint32_t number;
};

/* Appends events with number = time: first, first + step, and so on. The sub-buffer was set. */
static inline void fake_hellos(uint8_t *subbuf, uint32_t first, uint32_t step, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct fake_hello hello = { .type = FAKE_HELLO, .pid = 7, .number = first + i * step };
		uint32_t words[1 + sizeof(hello) / 4] = { RING_EVENT(sizeof(hello) / 4, i ? step : 0) };

		memcpy(words + 1, &hello, sizeof(hello));
		ring_words(subbuf, words, sizeof(words) / 4);
	}
}

#endif /* FAKE_EVENTS_H */
