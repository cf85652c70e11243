// SPDX-License-Identifier: GPL-2.0-only
/* Saved rings merged by time, with one clock and with several. */
#include "kview-trace/merge.h"

#include <errno.h>
#include <poll.h>

#include "fake_events.h"
#include "unit.h"

static volatile sig_atomic_t stop;

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);

/* All rings are empty: the signal comes. */
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	stop = 1;
	return 0;
}

#define NR_RINGS 4

struct under_test {
	struct fake fake;
	struct ring rings[NR_RINGS];	/* kview-trace's */
	char paths[NR_RINGS][PATH_MAX];
	struct decoder *decoder;
	struct merge merge;
	char printed[4096];
	FILE *out;
};

/* Ring i has events at 10 + i, 14 + i, and so on, 3 in each of two sub-buffers. */
static void save(const char *path, uint32_t i)
{
	uint32_t first = 10 + i;
	uint8_t *mem = calloc(4, FAKE_SUBBUF);
	struct kvfs_ring_meta meta = {
		.meta_page_size = FAKE_SUBBUF, .meta_struct_len = sizeof(meta), .subbuf_size = FAKE_SUBBUF, .nr_subbufs = 3,
	};

	memcpy(mem, &meta, sizeof(meta));
	ring_set(mem + FAKE_SUBBUF, first, 0);
	fake_hellos(mem + FAKE_SUBBUF, first, 4, 3);
	ring_set(mem + 2 * FAKE_SUBBUF, first + 12, 0);
	fake_hellos(mem + 2 * FAKE_SUBBUF, first + 12, 4, 3);
	fake_write(mem, 4 * FAKE_SUBBUF, "%s", path);
	free(mem);
}

static void make(struct under_test *t, const char *const clocks[NR_RINGS])
{
	struct decoder_config config = { .numeric = true };

	memset(t, 0, sizeof(*t));
	fake_create(&t->fake, 1);
	fake_events(t->fake.dir);
	config.tracing = t->fake.dir;
	ck_assert_int_eq(decoder_create(&config, &t->decoder, NULL), 0);
	for (uint32_t i = 0; i < NR_RINGS; i++) {
		snprintf(t->paths[i], sizeof(t->paths[i]), "%s/saved-%u", t->fake.dir, i);
		save(t->paths[i], i);
		ck_assert_int_eq(ring_open_saved(&t->rings[i], t->paths[i], i, NULL), 0);
		t->rings[i].clock = clocks[i];
		t->rings[i].index = i;
	}
	t->out = fmemopen(t->printed, sizeof(t->printed), "w");
	merge_init(&t->merge, t->rings, NR_RINGS, t->decoder, &stop, t->out);
}

static void end(struct under_test *t)
{
	for (size_t i = 0; i < NR_RINGS; i++)
		ring_close(&t->rings[i]);
	fclose(t->out);
	decoder_destroy(t->decoder);
	fake_remove(&t->fake);
}

/* What was printed, as numbers of events and names of clocks; good until the next call. */
static const char *summary(struct under_test *t)
{
	static char out[1024];
	char *line, *next = t->printed;

	fflush(t->out);
	out[0] = '\0';
	while ((line = strsep(&next, "\n")) && *line) {
		const char *number = strstr(line, "number=");

		strcat(out, number ? number + 7 : line[0] == '#' ? line + 9 : line);
		strcat(out, " ");
	}
	return out;
}

START_TEST(one_clock)
{
	static const char *const clocks[] = { "local", "local", "local", "local" };
	struct under_test t;

	make(&t, clocks);
	ck_assert_int_eq(merge_print(&t.merge, false, NULL), 0);
	ck_assert_str_eq(summary(&t), "10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 ");
	end(&t);
}
END_TEST

START_TEST(several_clocks)
{
	static const char *const clocks[] = { "mono", NULL, "counter", "mono" };
	struct under_test t;

	make(&t, clocks);
	ck_assert_int_eq(merge_print(&t.merge, false, NULL), 0);
	ck_assert_str_eq(summary(&t),
			 "unknown 11 15 19 23 27 31 counter 12 16 20 24 28 32 "
			 "mono 10 13 14 17 18 21 22 25 26 29 30 33 ");
	end(&t);
}
END_TEST

/* One that follows has no end to wait for, so the groups take turns. */
START_TEST(several_clocks_followed)
{
	static const char *const clocks[] = { "mono", "mono", "local", "local" };
	struct under_test t;

	make(&t, clocks);
	ck_assert_int_eq(merge_print(&t.merge, true, NULL), 0);
	ck_assert_int_eq(stop, 1);
	ck_assert_ptr_nonnull(strstr(summary(&t), "local 12 13 16 17 20 "));
	end(&t);
}
END_TEST

START_TEST(stopped)
{
	static const char *const clocks[] = { "local", "local", "mono", "mono" };
	struct under_test t;

	make(&t, clocks);
	/* Events are pending when the signal comes. */
	for (size_t i = 0; i < NR_RINGS; i++)
		ck_assert_int_eq(ring_fill(&t.rings[i]), 1);
	stop = 1;
	ck_assert_int_eq(merge_print(&t.merge, false, NULL), 0);
	ck_assert_str_eq(summary(&t), "");
	/* What was consumed is printed: the rest of the first sub-buffers. */
	ck_assert_int_eq(merge_print_taken(&t.merge, NULL), 0);
	ck_assert_str_eq(summary(&t), "local 10 11 14 15 18 19 mono 12 13 16 17 20 21 ");
	end(&t);
}
END_TEST

START_TEST(lost_events)
{
	static const char *const clocks[] = { NULL, NULL, NULL, NULL };
	struct under_test t;

	make(&t, clocks);
	for (size_t i = 1; i < NR_RINGS; i++)
		t.rings[i].next_order = t.rings[i].nr_order;
	t.rings[0].lost = true;
	t.rings[0].nr_lost = 99;
	ck_assert_int_eq(ring_fill(&t.rings[0]), 1);
	ck_assert_int_eq(merge_print(&t.merge, false, NULL), 0);
	ck_assert_str_eq(summary(&t), "CPU:0 [LOST 99 EVENTS] 10 14 18 22 26 30 ");
	end(&t);
}
END_TEST

START_TEST(output_that_cannot_be_written)
{
	static const char *const clocks[] = { NULL, NULL, NULL, NULL };
	struct kvfs_err err = { 0 };
	struct under_test t;
	FILE *full = fopen("/dev/full", "w");

	make(&t, clocks);
	setvbuf(full, NULL, _IONBF, 0);
	t.merge.out = full;
	unit_assert_error(merge_print(&t.merge, false, &err), EPIPE, err, "cannot write");
	fclose(full);
	end(&t);
}
END_TEST

UNIT_MAIN("merge",
	one_clock,
	several_clocks,
	several_clocks_followed,
	stopped,
	lost_events,
	output_that_cannot_be_written)
