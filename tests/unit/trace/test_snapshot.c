// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies of rings at rest, and of one that a thread writes in the order in which the
 * kernel's writer and reader change it (rb_tail_page_update, rb_set_commit_to_write,
 * rb_get_reader_page).
 */
#include "trace/snapshot.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "failalloc.h"
#include "ring_builder.h"
#include "trace/ring.h"
#include "unit.h"

#define SUBBUF 256
#define EVENTS_PER_SUBBUF RING_EVENTS_PER_SUBBUF(SUBBUF)

/* Checks that the unread events of a copy are numbers without a gap; returns how many. */
static uint64_t check_run(const uint8_t *copy, size_t len, uint32_t *first, uint32_t *last)
{
	struct kvfs_ring_meta meta;
	uint32_t ids[64];
	uint64_t n = 0;
	int nr;

	ck_assert_int_eq(kvfs_ring_parse_meta(copy, len, &meta, NULL), 0);
	nr = kvfs_ring_order(copy, len, &meta, ids);
	ck_assert_int_ge(nr, 0);
	for (int i = 0; i < nr; i++) {
		struct kvfs_ring_cursor c;
		struct kvfs_ring_event e;

		ck_assert_int_eq(kvfs_ring_first(copy + kvfs_ring_subbuf_off(&meta, ids[i]),
						 meta.subbuf_size, &c), 0);
		if (ids[i] == meta.reader.id)
			ck_assert_int_eq(kvfs_ring_seek(&c, meta.reader.read), 0);
		while (kvfs_ring_next(&c, &e) > 0) {
			uint32_t number = *(const uint32_t *)e.data;

			ck_assert_uint_eq(e.ts, number);
			if (n == 0)
				*first = number;
			else
				ck_assert_uint_eq(number, *last + 1);
			*last = number;
			n++;
		}
	}
	return n;
}

START_TEST(ring_at_rest)
{
	struct test_ring ring = ring_create(SUBBUF, 5);
	uint8_t *copy = calloc(1, ring.len);
	uint32_t first, last;

	/* 3 is the reader's and read to its middle, then 1, 4, 0 with a commit; 2 is empty. */
	ring_put_events(ring_subbuf(&ring, 3), 100, EVENTS_PER_SUBBUF);
	ring_put_events(ring_subbuf(&ring, 1), 130, EVENTS_PER_SUBBUF);
	ring_put_events(ring_subbuf(&ring, 4), 160, EVENTS_PER_SUBBUF);
	ring_put_events(ring_subbuf(&ring, 0), 190, 3);
	memset(ring_subbuf(&ring, 0) + 100, 0xee, 100);		/* what was there before */
	ring.meta->reader.id = 3;
	ring.meta->reader.read = 80;
	ck_assert_int_eq(kvfs_snapshot_take(ring.mem, ring.meta, copy), 0);
	ck_assert_uint_eq(check_run(copy, ring.len, &first, &last), 20 + 30 + 30 + 3);
	ck_assert_uint_eq(first, 110);
	ck_assert_uint_eq(last, 192);
	ck_assert_mem_eq(copy, ring.mem, SUBBUF);
	ck_assert_mem_eq(copy + 2 * SUBBUF, ring.mem + 2 * SUBBUF, 4 * SUBBUF);
	for (int i = 100; i < 200; i++)
		ck_assert_uint_eq(copy[SUBBUF + i], 0);
	free(copy);
	free(ring.mem);
}
END_TEST

START_TEST(empty_ring)
{
	struct test_ring ring = ring_create(SUBBUF, 3);
	uint8_t *copy = calloc(1, ring.len);
	uint32_t first, last;

	ck_assert_int_eq(kvfs_snapshot_take(ring.mem, ring.meta, copy), 0);
	ck_assert_uint_eq(check_run(copy, ring.len, &first, &last), 0);
	free(copy);
	free(ring.mem);
}
END_TEST

START_TEST(number_of_lost_events_is_copied)
{
	struct test_ring ring = ring_create(SUBBUF, 3);
	uint8_t *copy = calloc(1, ring.len), *s = ring_subbuf(&ring, 1);
	uint64_t lost = 4711, events, missed;

	ring_put_events(s, 1, 10);
	ring_put(s, 80, &lost, sizeof(lost));
	ring_set(s, 1, 80 | 1U << 31 | 1U << 30);
	ring_put_events(ring_subbuf(&ring, 2), 20, 1);
	ring.meta->reader.id = 1;
	ck_assert_int_eq(kvfs_snapshot_take(ring.mem, ring.meta, copy), 0);
	ck_assert_int_eq(kvfs_ring_count(copy, ring.len, ring.meta, &events, &missed), 0);
	ck_assert_uint_eq(missed, 4711);
	ck_assert_uint_eq(events, 11);
	free(copy);
	free(ring.mem);
}
END_TEST

START_TEST(stats_text)
{
	static const char text[] =
		"entries: 129\noverrun: 7\ncommit overrun: 0\nbytes: 5280\n"
		"oldest event ts:  2452.223482\nnow ts:  2455.046461\n"
		"dropped events: 3\nread events: 42\n";
	struct kvfs_snapshot_stats stats;

	ck_assert_int_eq(kvfs_snapshot_parse_stats(text, &stats), 0);
	ck_assert_uint_eq(stats.unread, 129);
	ck_assert_uint_eq(stats.overrun, 7);
	ck_assert_uint_eq(stats.dropped, 3);
	ck_assert_uint_eq(stats.read, 42);
	ck_assert_int_eq(kvfs_snapshot_parse_stats("", &stats), -EBADMSG);
	ck_assert_int_eq(kvfs_snapshot_parse_stats("entries: x\n", &stats), -EBADMSG);
}
END_TEST

START_TEST(counters_are_brought_up_to_date)
{
	struct test_ring ring = ring_create(SUBBUF, 3);
	struct kvfs_snapshot_stats stats = { .unread = 33, .overrun = 5, .read = 10 };
	struct kvfs_ring_meta *meta;
	uint8_t *copy = aligned_alloc(8, ring.len);

	memset(copy, 0, ring.len);
	ring_put_events(ring_subbuf(&ring, 1), 100, EVENTS_PER_SUBBUF);
	ring_put_events(ring_subbuf(&ring, 2), 130, 3);
	ring.meta->read = 10;		/* the rest of the meta page is old */
	ck_assert_int_eq(kvfs_snapshot_take(ring.mem, ring.meta, copy), 0);
	ck_assert_int_eq(kvfs_snapshot_settle(copy, &stats, &stats), 0);
	meta = (struct kvfs_ring_meta *)copy;
	ck_assert_uint_eq(meta->overrun, 5);
	ck_assert_uint_eq(meta->read, 10);
	ck_assert_uint_eq(meta->entries, 5 + 10 + 33);
	free(copy);
	free(ring.mem);
}
END_TEST

START_TEST(a_reader_that_the_mapping_did_not_see)
{
	struct test_ring ring = ring_create(SUBBUF, 4);
	/* trace_pipe has swapped in sub-buffer 2 and read 7 of its 30 events. */
	struct kvfs_snapshot_stats stats = { .unread = 23 + 4, .overrun = 0, .read = 37 };
	struct kvfs_ring_meta *meta;
	uint8_t *copy = aligned_alloc(8, ring.len);
	uint32_t first, last;

	memset(copy, 0, ring.len);
	ring_put_events(ring_subbuf(&ring, 2), 100, EVENTS_PER_SUBBUF);
	ring_put_events(ring_subbuf(&ring, 0), 130, 4);
	ring.meta->reader.id = 0;	/* the meta page has it where it was */
	ring.meta->reader.read = 16;
	ring.meta->read = 30;
	ck_assert_int_eq(kvfs_snapshot_take(ring.mem, ring.meta, copy), 0);
	ck_assert_int_eq(kvfs_snapshot_settle(copy, &stats, &stats), 0);
	meta = (struct kvfs_ring_meta *)copy;
	ck_assert_uint_eq(meta->reader.id, 2);
	ck_assert_uint_eq(meta->read, 37);
	ck_assert_uint_eq(check_run(copy, ring.len, &first, &last), 27);
	ck_assert_uint_eq(first, 107);
	free(copy);
	free(ring.mem);
}
END_TEST

START_TEST(what_the_reader_left_is_dropped)
{
	struct test_ring ring = ring_create(SUBBUF, 4);
	struct kvfs_snapshot_stats stats = { .unread = 4, .read = 61 };
	uint8_t *copy = calloc(1, ring.len);
	uint32_t first, last;

	/* As Linux 6.18 has it: 1 and 2 were read, the reader is on 3. */
	ring_put_events(ring_subbuf(&ring, 1), 100, EVENTS_PER_SUBBUF);
	ring_put_events(ring_subbuf(&ring, 2), 130, EVENTS_PER_SUBBUF);
	ring_put_events(ring_subbuf(&ring, 3), 160, 5);
	ring.meta->reader.id = 3;
	ring.meta->reader.read = 8;
	ring.meta->read = 61;
	ck_assert_int_eq(kvfs_snapshot_take(ring.mem, ring.meta, copy), 0);
	ck_assert_int_eq(kvfs_snapshot_settle(copy, &stats, &stats), 0);
	ck_assert_uint_eq(check_run(copy, ring.len, &first, &last), 4);
	ck_assert_uint_eq(first, 161);
	/* The same by counting, as trace_pipe did it. */
	ring.meta->reader.id = 1;
	ring.meta->reader.read = 0;
	ring.meta->read = 0;
	memset(copy, 0, ring.len);
	ck_assert_int_eq(kvfs_snapshot_take(ring.mem, ring.meta, copy), 0);
	ck_assert_int_eq(kvfs_snapshot_settle(copy, &stats, &stats), 0);
	ck_assert_uint_eq(check_run(copy, ring.len, &first, &last), 4);
	ck_assert_uint_eq(first, 161);
	free(copy);
	free(ring.mem);
}
END_TEST

/* A live ring. */

#define NR_LIVE 9	/* the reader's one and a circle of 8 */

struct live {
	struct test_ring ring;
	uint32_t circle[NR_LIVE - 1];	/* ids in the order of the ring */
	unsigned int head, tail;
	uint32_t next;			/* number of the next event */
	atomic_bool stop;
};

static void store(uint8_t *at, uint64_t v)
{
	__atomic_store_n((uint64_t *)at, v, __ATOMIC_RELEASE);
}

/* GET_READER as the kernel does it: the oldest sub-buffer for the one that was read. */
static void move_reader(struct live *live)
{
	struct kvfs_ring_meta *meta = live->ring.meta;
	uint32_t old = meta->reader.id;
	uint8_t *reader = ring_subbuf(&live->ring, old);
	uint64_t len;

	if (live->head == live->tail)
		return;
	store(reader + 8, 0);
	__atomic_store_n(&meta->reader.read, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&meta->reader.id, live->circle[live->head], __ATOMIC_RELEASE);
	live->circle[live->head] = old;
	live->head = (live->head + 1) % (NR_LIVE - 1);
	len = kvfs_ring_commit_len(ring_commit(ring_subbuf(&live->ring, meta->reader.id)));
	__atomic_store_n(&meta->reader.read, len, __ATOMIC_RELEASE);
}

static void *writer(void *arg)
{
	struct live *live = arg;

	while (!atomic_load(&live->stop)) {
		uint8_t *s = ring_subbuf(&live->ring, live->circle[live->tail]);
		uint64_t commit = ring_commit(s);

		if (commit + 8 > SUBBUF - KVFS_RING_HDR_LEN) {
			unsigned int next = (live->tail + 1) % (NR_LIVE - 1);

			if (next == live->head)
				live->head = (live->head + 1) % (NR_LIVE - 1);
			store(ring_subbuf(&live->ring, live->circle[next]) + 8, 0);
			live->tail = next;
			if (live->next % 4096 < EVENTS_PER_SUBBUF)
				move_reader(live);
			continue;
		}
		if (commit == 0)
			store(s, live->next);
		ring_put(s, commit, (const uint32_t []) { RING_EVENT(1, commit > 0), live->next }, 8);
		store(s + 8, commit + 8);
		live->next++;
		for (int i = 0; i < 20; i++)	/* an event takes the kernel longer */
			__asm__ volatile("" ::: "memory");
	}
	return NULL;
}

START_TEST(a_ring_that_is_written)
{
	struct live live = { .ring = ring_create(SUBBUF, NR_LIVE), .next = 1 };
	uint8_t *copy = malloc(live.ring.len);
	struct kvfs_ring_meta geometry = *live.ring.meta;
	uint32_t first, last, before = 0;
	unsigned int whole = 0, rounds = 0;
	pthread_t thread;

	for (uint32_t i = 0; i < NR_LIVE - 1; i++)
		live.circle[i] = i + 1;
	pthread_create(&thread, NULL, writer, &live);
	/* The writer goes on until the copies have seen enough, however slow either of them is. */
	while (rounds < 1500 || whole < 150 || before < 100000) {
		int ret;
		uint64_t n;

		memset(copy, 0, live.ring.len);
		ret = kvfs_snapshot_take(live.ring.mem, &geometry, copy);
		ck_assert(ret == 0 || ret == -EBUSY);
		if (ret < 0)
			continue;
		ck_assert_int_eq(kvfs_snapshot_settle(copy, NULL, NULL), 0);
		n = check_run(copy, live.ring.len, &first, &last);
		rounds++;
		if (n == 0)
			continue;
		ck_assert_uint_ge(last, before);
		before = last;
		whole += n > 4 * EVENTS_PER_SUBBUF;
	}
	atomic_store(&live.stop, true);
	pthread_join(thread, NULL);
	free(copy);
	free(live.ring.mem);
}
END_TEST

START_TEST(no_memory)
{
	struct test_ring ring = ring_create(SUBBUF, 3);
	struct kvfs_snapshot_stats stats = { .read = 5 };
	uint8_t *copy = calloc(1, ring.len);
	int ret;

	ring_put_events(ring_subbuf(&ring, 1), 100, 3);
	failalloc_arm(0);
	ck_assert_int_eq(kvfs_snapshot_take(ring.mem, ring.meta, copy), -ENOMEM);
	ck_assert(failalloc_happened());
	ck_assert_int_eq(kvfs_snapshot_take(ring.mem, ring.meta, copy), 0);
	for (int n = 0;; n++) {
		failalloc_arm(n);
		ret = kvfs_snapshot_settle(copy, &stats, &stats);
		if (!failalloc_happened())
			break;
		ck_assert_int_eq(ret, -ENOMEM);
	}
	ck_assert_int_eq(ret, 0);
	free(copy);
	free(ring.mem);
}
END_TEST

UNIT_MAIN("snapshot",
	ring_at_rest,
	empty_ring,
	number_of_lost_events_is_copied,
	stats_text,
	counters_are_brought_up_to_date,
	a_reader_that_the_mapping_did_not_see,
	what_the_reader_left_is_dropped,
	a_ring_that_is_written,
	no_memory)
