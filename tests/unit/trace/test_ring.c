// SPDX-License-Identifier: GPL-2.0-only
#include "trace/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <traceevent/kbuffer.h>

#include "ring_builder.h"
#include "unit.h"

START_TEST(meta_of_a_good_ring)
{
	struct test_ring ring = ring_create(8192, 5);
	struct kvfs_ring_meta meta;

	ck_assert_int_eq(kvfs_ring_parse_meta(ring.mem, ring.len, &meta, NULL), 0);
	ck_assert_uint_eq(kvfs_ring_len(&meta), 6 * 8192);
	ck_assert_uint_eq(kvfs_ring_subbuf_off(&meta, 0), 8192);
	ck_assert_uint_eq(kvfs_ring_subbuf_off(&meta, 4), 5 * 8192);
	free(ring.mem);
}
END_TEST

START_TEST(meta_that_lies)
{
	static const struct {
		size_t field;		/* offset of a u32 */
		uint32_t value;
	} cases[] = {
		{ 0, 0 },			/* meta page smaller than its struct */
		{ 0, 4097 },			/* not aligned */
		{ 0, UINT32_MAX - 7 },
		{ 4, 0 },			/* struct too small */
		{ 4, 79 },
		{ 4, UINT32_MAX },
		{ 8, 0 },			/* no room for a header */
		{ 8, 16 },
		{ 8, 4097 },
		{ 8, UINT32_MAX - 7 },
		{ 12, 0 },			/* no sub-buffer */
		{ 12, UINT32_MAX },
		{ 24, 3 },			/* reader after the last one */
		{ 24, UINT32_MAX },
	};
	struct test_ring ring = ring_create(4096, 3);
	struct kvfs_ring_meta good = *ring.meta, meta;
	struct kvfs_err err = { 0 };

	ck_assert_int_eq(kvfs_ring_parse_meta(ring.mem, 79, &meta, &err), -EBADMSG);
	ck_assert_int_eq(kvfs_ring_parse_meta(ring.mem, 80, &meta, &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		*ring.meta = good;
		memcpy(ring.mem + cases[i].field, &cases[i].value, 4);
		err.msg[0] = 0;
		ck_assert_msg(kvfs_ring_parse_meta(ring.mem, ring.len, &meta, &err) == -EBADMSG,
			      "case %zu is taken for a ring", i);
		ck_assert(err.msg[0]);
	}
	free(ring.mem);
}
END_TEST

START_TEST(events_of_every_kind)
{
	struct test_ring ring = ring_create(4096, 1);
	uint8_t *s = ring_subbuf(&ring, 0);
	struct kvfs_ring_cursor c;
	struct kvfs_ring_event e;

	ring_set(s, 1000, 0);
	RING_WORDS(s, RING_EVENT(2, 0), 0x11, 0x12);		/* 8 bytes at 1000 */
	RING_WORDS(s, RING_EVENT(30, 5), 1);			/* + 2^27 + 5 */
	RING_WORDS(s, RING_EVENT(1, 7), 0x21);			/* + 7 */
	RING_WORDS(s, RING_EVENT(29, 9), 8, 0xdead);		/* discarded, 12 bytes */
	RING_WORDS(s, RING_EVENT(0, 1), 12, 0x31, 0x32);	/* length in its own word */
	RING_WORDS(s, RING_EVENT(31, 3), 2);			/* absolute: 2^28 + 3 */
	RING_WORDS(s, RING_EVENT(28, 0));			/* the longest short one */
	for (int i = 0; i < 28; i++)
		RING_WORDS(s, i);
	RING_WORDS(s, RING_EVENT(29, 0), 0xffffffff);		/* the rest is padding */

	ck_assert_int_eq(kvfs_ring_first(s, 4096, &c), 0);
	ck_assert(!c.missed);
	ck_assert_int_eq(kvfs_ring_next(&c, &e), 1);
	ck_assert_uint_eq(e.ts, 1000);
	ck_assert_uint_eq(e.len, 8);
	ck_assert_uint_eq(*(const uint32_t *)e.data, 0x11);
	ck_assert_int_eq(kvfs_ring_next(&c, &e), 1);
	ck_assert_uint_eq(e.ts, 1000 + (1ULL << 27) + 5 + 7);
	ck_assert_uint_eq(*(const uint32_t *)e.data, 0x21);
	ck_assert_int_eq(kvfs_ring_next(&c, &e), 1);
	ck_assert_uint_eq(e.ts, 1000 + (1ULL << 27) + 5 + 7 + 1);
	ck_assert_uint_eq(e.len, 8);
	ck_assert_uint_eq(*(const uint32_t *)e.data, 0x31);
	ck_assert_int_eq(kvfs_ring_next(&c, &e), 1);
	ck_assert_uint_eq(e.ts, (1ULL << 28) + 3);
	ck_assert_uint_eq(e.len, 28 * 4);
	ck_assert_int_eq(kvfs_ring_next(&c, &e), 0);
	ck_assert_int_eq(kvfs_ring_next(&c, &e), 0);
	free(ring.mem);
}
END_TEST

START_TEST(absolute_stamps_keep_the_high_bits)
{
	struct test_ring ring = ring_create(4096, 1);
	uint8_t *s = ring_subbuf(&ring, 0);
	struct kvfs_ring_cursor c;
	struct kvfs_ring_event e;
	uint64_t high = UINT64_C(5) << 59;

	ring_set(s, high + 100, 0);
	RING_WORDS(s, RING_EVENT(31, 200), 0, RING_EVENT(1, 0), 1);	/* 200 */
	RING_WORDS(s, RING_EVENT(31, 50), 0, RING_EVENT(1, 0), 2);	/* 50: it wrapped */
	ck_assert_int_eq(kvfs_ring_first(s, 4096, &c), 0);
	ck_assert_int_eq(kvfs_ring_next(&c, &e), 1);
	ck_assert_uint_eq(e.ts, high + 200);
	ck_assert_int_eq(kvfs_ring_next(&c, &e), 1);
	ck_assert_uint_eq(e.ts, (UINT64_C(6) << 59) + 50);
	free(ring.mem);
}
END_TEST

START_TEST(events_that_do_not_fit)
{
	static const uint32_t cases[][2] = {
		{ RING_EVENT(2, 0), 0 },	/* 12 bytes where 8 are committed */
		{ RING_EVENT(0, 0), 3 },	/* shorter than its own length */
		{ RING_EVENT(0, 0), 0 },
		{ RING_EVENT(0, 0), 6 },	/* no multiple of 4 */
		{ RING_EVENT(0, 0), 8 },	/* longer than what is left */
		{ RING_EVENT(0, 0), 0xfffffffc },
		{ RING_EVENT(29, 1), 0xfffffffc },
		{ RING_EVENT(29, 1), 0 },
	};
	struct test_ring ring = ring_create(64, 1);
	uint8_t *s = ring_subbuf(&ring, 0);
	struct kvfs_ring_cursor c;
	struct kvfs_ring_event e;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ring_set(s, 1, 0);
		ring_words(s, cases[i], 2);
		ck_assert_int_eq(kvfs_ring_first(s, 64, &c), 0);
		ck_assert_msg(kvfs_ring_next(&c, &e) == -EBADMSG, "case %zu", i);
		ck_assert_uint_eq(c.pos, 0);
	}
	/* A record of 8 bytes of which 4 are committed. */
	ring_set(s, 1, 0);
	RING_WORDS(s, RING_EVENT(30, 0));
	ck_assert_int_eq(kvfs_ring_first(s, 64, &c), 0);
	ck_assert_int_eq(kvfs_ring_next(&c, &e), -EBADMSG);
	/* A commit past the end, and one that leaves no room for the number it has stored. */
	ring_set(s, 1, 49);
	ck_assert_int_eq(kvfs_ring_first(s, 64, &c), -EBADMSG);
	ring_set(s, 1, 41 | 1U << 30 | 1U << 31);
	ck_assert_int_eq(kvfs_ring_first(s, 64, &c), -EBADMSG);
	free(ring.mem);
}
END_TEST

START_TEST(lost_events)
{
	struct test_ring ring = ring_create(64, 1);
	uint8_t *s = ring_subbuf(&ring, 0);
	struct kvfs_ring_cursor c;
	uint64_t lost = 123456789012;

	ring_set(s, 1, 40 | 1U << 31 | 1U << 30);
	ring_put(s, 40, &lost, sizeof(lost));
	ck_assert_int_eq(kvfs_ring_first(s, 64, &c), 0);
	ck_assert(c.missed);
	ck_assert_uint_eq(c.nr_missed, lost);
	ck_assert_uint_eq(c.end, 40);
	/* No room to say how many. */
	ring_set(s, 1, 48 | 1U << 31);
	ck_assert_int_eq(kvfs_ring_first(s, 64, &c), 0);
	ck_assert(c.missed);
	ck_assert_uint_eq(c.nr_missed, 0);
	free(ring.mem);
}
END_TEST

START_TEST(order_and_count)
{
	struct test_ring ring = ring_create(64, 6);
	uint32_t ids[6];
	uint64_t events, missed;

	/* In the order of time: 4 (reader, half read), 5, 1, 0. 2 is empty, 3 likewise. */
	ring_set(ring_subbuf(&ring, 4), 10, 0);
	RING_WORDS(ring_subbuf(&ring, 4), RING_EVENT(1, 0), 1, RING_EVENT(1, 1), 2);
	ring_set(ring_subbuf(&ring, 5), 20, 0);
	RING_WORDS(ring_subbuf(&ring, 5), RING_EVENT(1, 0), 3);
	ring_set(ring_subbuf(&ring, 1), 30, 0);
	RING_WORDS(ring_subbuf(&ring, 1), RING_EVENT(1, 0), 4);
	ring_set(ring_subbuf(&ring, 0), 40, 0);
	RING_WORDS(ring_subbuf(&ring, 0), RING_EVENT(1, 0), 5, RING_EVENT(1, 0), 6);
	ring_set(ring_subbuf(&ring, 3), 5, 0);
	ring.meta->reader.id = 4;
	ring.meta->reader.read = 8;
	ck_assert_int_eq(kvfs_ring_order(ring.mem, ring.len, ring.meta, ids), 4);
	ck_assert_uint_eq(ids[0], 4);
	ck_assert_uint_eq(ids[1], 5);
	ck_assert_uint_eq(ids[2], 1);
	ck_assert_uint_eq(ids[3], 0);
	ck_assert_int_eq(kvfs_ring_count(ring.mem, ring.len, ring.meta, &events, &missed), 0);
	ck_assert_uint_eq(events, 5);
	ck_assert_uint_eq(missed, 0);

	/* All of the reader's sub-buffer was read. */
	ring.meta->reader.read = 16;
	ck_assert_int_eq(kvfs_ring_order(ring.mem, ring.len, ring.meta, ids), 3);
	ck_assert_int_eq(kvfs_ring_count(ring.mem, ring.len, ring.meta, &events, &missed), 0);
	ck_assert_uint_eq(events, 4);

	/* Cut off. */
	ck_assert_int_eq(kvfs_ring_order(ring.mem, ring.len - 1, ring.meta, ids), -EBADMSG);
	free(ring.mem);
}
END_TEST

START_TEST(a_clock_that_stands_still)
{
	struct test_ring ring = ring_create(64, 4);
	uint32_t ids[4];

	for (uint32_t id = 0; id < 4; id++) {
		ring_set(ring_subbuf(&ring, id), 7, 0);
		RING_WORDS(ring_subbuf(&ring, id), RING_EVENT(1, 0), id);
	}
	ring.meta->reader.id = 2;
	ck_assert_int_eq(kvfs_ring_order(ring.mem, ring.len, ring.meta, ids), 4);
	ck_assert_uint_eq(ids[0], 2);
	ck_assert_uint_eq(ids[1], 0);
	ck_assert_uint_eq(ids[2], 1);
	ck_assert_uint_eq(ids[3], 3);
	free(ring.mem);
}
END_TEST

START_TEST(random_bytes_stay_inside)
{
	struct test_ring ring = ring_create(256, 8);
	struct kvfs_ring_cursor c;
	struct kvfs_ring_event e;
	uint64_t events, missed;

	srand(1);
	for (int round = 0; round < 8000; round++) {
		for (uint32_t id = 0; id < 8; id++) {
			uint8_t *s = ring_subbuf(&ring, id);

			for (int i = 0; i < 256; i++)
				s[i] = rand() >> 7;
			ring_set(s, rand(), rand() % 300 | (uint64_t)(rand() & 3) << 30);
			if (kvfs_ring_first(s, 256, &c) < 0)
				continue;
			/* The sanitizers watch. */
			while (kvfs_ring_next(&c, &e) > 0) {
				const uint8_t *data = e.data;

				ck_assert(data >= s + 16 && data + e.len <= s + 16 + c.end);
			}
			ck_assert(c.pos <= c.end);
		}
		ring.meta->reader.id = rand() % 8;
		ring.meta->reader.read = rand() % 300;
		kvfs_ring_count(ring.mem, ring.len, ring.meta, &events, &missed);
	}
	free(ring.mem);
}
END_TEST

/* Events as libtraceevent's reader of sub-buffers finds them, which trusts what it is given. */

/* Appends a random record with data of its own; *ts is the time after it. */
static void put_random(uint8_t *subbuf, uint64_t *ts, unsigned int *seed)
{
	uint32_t delta = rand_r(seed) % 1000, words[40] = { 0 }, nr = 1;

	switch (rand_r(seed) % 8) {
	case 0:		/* time extend */
		words[0] = RING_EVENT(30, delta);
		words[nr++] = 1 + rand_r(seed) % 100;
		*ts += ((uint64_t)words[1] << 27) + delta;
		break;
	case 1:		/* absolute time stamp, which does not go back */
		*ts += delta;
		words[0] = RING_EVENT(31, *ts & ((1U << 27) - 1));
		words[nr++] = *ts >> 27;
		break;
	case 2:		/* an event whose length follows its header */
		nr += 1 + rand_r(seed) % 36;
		words[0] = RING_EVENT(0, delta);
		words[1] = (nr - 1) * 4;
		for (uint32_t i = 2; i < nr; i++)
			words[i] = rand_r(seed);
		*ts += delta;
		break;
	default:
		nr += 1 + rand_r(seed) % 28;
		words[0] = RING_EVENT(nr - 1, delta);
		for (uint32_t i = 1; i < nr; i++)
			words[i] = rand_r(seed);
		*ts += delta;
	}
	ring_words(subbuf, words, nr);
}

/* A sub-buffer of random records, with padding at its end or without. */
static void fill_random(uint8_t *subbuf, uint32_t size, unsigned int *seed)
{
	uint64_t ts = (uint64_t)rand_r(seed) << 20;
	uint32_t room = rand_r(seed) % size;

	ring_set(subbuf, ts, 0);
	while (KVFS_RING_HDR_LEN + ring_commit(subbuf) + 160 < room)
		put_random(subbuf, &ts, seed);
	if (rand_r(seed) % 2)
		RING_WORDS(subbuf, RING_EVENT(29, 0));
}

START_TEST(as_libtraceevent_reads_them)
{
	struct test_ring ring = ring_create(4096, 1);
	struct kbuffer *kbuf = kbuffer_alloc(KBUFFER_LSIZE_8, KBUFFER_ENDIAN_LITTLE);
	uint8_t *subbuf = ring_subbuf(&ring, 0);
	unsigned int seed = 1, nr = 0;

	for (int round = 0; round < 2000; round++) {
		struct kvfs_ring_cursor c;
		struct kvfs_ring_event event;
		unsigned long long ts;
		void *data;
		int ret;

		fill_random(subbuf, 4096, &seed);
		ck_assert_int_eq(kvfs_ring_first(subbuf, 4096, &c), 0);
		ck_assert_int_eq(kbuffer_load_subbuffer(kbuf, subbuf), 0);
		while ((ret = kvfs_ring_next(&c, &event)) > 0) {
			data = kbuffer_read_event(kbuf, &ts);
			ck_assert_ptr_eq(data, event.data);
			ck_assert_uint_eq(ts, event.ts);
			ck_assert_int_eq(kbuffer_event_size(kbuf), event.len);
			kbuffer_next_event(kbuf, NULL);
			nr++;
		}
		ck_assert_int_eq(ret, 0);
		ck_assert_ptr_null(kbuffer_read_event(kbuf, &ts));
	}
	ck_assert_uint_gt(nr, 10000);
	kbuffer_free(kbuf);
	free(ring.mem);
}
END_TEST

UNIT_MAIN("ring",
	meta_of_a_good_ring,
	meta_that_lies,
	events_of_every_kind,
	absolute_stamps_keep_the_high_bits,
	events_that_do_not_fit,
	lost_events,
	order_and_count,
	a_clock_that_stands_still,
	random_bytes_stay_inside,
	as_libtraceevent_reads_them)
