// SPDX-License-Identifier: GPL-2.0-only
/* Headers, sub-buffers and meta data, as they are when a scan meets them. */
#include "trace/scan.h"

#include <stdlib.h>

#include "ring_builder.h"
#include "trace/ring.h"
#include "unit.h"

#define SUBBUF 256

START_TEST(newest_first)
{
	struct test_ring ring = ring_create(SUBBUF, 5);
	struct kvfs_scan_subbuf found[5];

	ck_assert_uint_eq(kvfs_scan(ring.mem, ring.meta, found), 0);
	ring_put_events(ring_subbuf(&ring, 0), 50, 2);
	ring_put_events(ring_subbuf(&ring, 2), 70, 3);
	ring_put_events(ring_subbuf(&ring, 3), 10, 1);
	ck_assert_uint_eq(kvfs_scan(ring.mem, ring.meta, found), 3);
	ck_assert_uint_eq(found[0].id, 2);
	ck_assert_uint_eq(found[0].hdr.time_stamp, 70);
	ck_assert_uint_eq(found[0].hdr.commit, 24);
	ck_assert_uint_eq(found[1].id, 0);
	ck_assert_uint_eq(found[2].id, 3);
	free(ring.mem);
}
END_TEST

START_TEST(equal_time_stamps_go_by_id)
{
	struct test_ring ring = ring_create(SUBBUF, 3);
	struct kvfs_scan_subbuf found[3];

	for (uint32_t id = 0; id < 3; id++)
		ring_put_events(ring_subbuf(&ring, id), 7, 1);
	ck_assert_uint_eq(kvfs_scan(ring.mem, ring.meta, found), 3);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(found[i].id, 2 - i);
	free(ring.mem);
}
END_TEST

START_TEST(only_committed_bytes_are_copied)
{
	struct test_ring ring = ring_create(SUBBUF, 1);
	struct kvfs_ring_hdr hdr = { .time_stamp = 5, .commit = 16 };
	uint8_t *s = ring_subbuf(&ring, 0), copy[SUBBUF] = { 0 };

	ring_put_events(s, 5, 4);
	/* The newest one has grown since its header was loaded. */
	ck_assert(kvfs_scan_copy(s, SUBBUF, hdr, true, copy));
	ck_assert_uint_eq(ring_commit(copy), 16);
	ck_assert_mem_eq(copy + 16, s + 16, 16);
	for (int i = 32; i < SUBBUF; i++)
		ck_assert_uint_eq(copy[i], 0);
	free(ring.mem);
}
END_TEST

START_TEST(a_number_of_lost_events_comes_late)
{
	struct test_ring ring = ring_create(SUBBUF, 1);
	struct kvfs_ring_hdr hdr = { .time_stamp = 5, .commit = 16 };
	uint8_t *s = ring_subbuf(&ring, 0), copy[SUBBUF] = { 0 };
	uint64_t lost = 9;

	ring_put_events(s, 5, 2);
	ring_put(s, 16, &lost, sizeof(lost));
	ring_set(s, 5, 16 | 1U << 31 | 1U << 30);
	ck_assert(kvfs_scan_copy(s, SUBBUF, hdr, false, copy));
	ck_assert_mem_eq(copy, s, 16 + 16 + 8);
	free(ring.mem);
}
END_TEST

START_TEST(overwritten_is_no_copy)
{
	static const uint8_t zeros[SUBBUF];
	struct test_ring ring = ring_create(SUBBUF, 1);
	struct kvfs_ring_hdr seen = { .time_stamp = 5, .commit = 16 };
	struct kvfs_ring_hdr lies = { .time_stamp = 5, .commit = SUBBUF };
	uint8_t *s = ring_subbuf(&ring, 0), copy[SUBBUF];

	ring_put_events(s, 99, 2);
	memset(copy, 0xee, sizeof(copy));
	ck_assert(!kvfs_scan_copy(s, SUBBUF, seen, true, copy));
	ck_assert_mem_eq(copy, zeros, SUBBUF);
	/* It was emptied. */
	ring_set(s, 5, 0);
	memset(copy, 0xee, sizeof(copy));
	ck_assert(!kvfs_scan_copy(s, SUBBUF, seen, true, copy));
	ck_assert_mem_eq(copy, zeros, SUBBUF);
	/* A commit that is larger than the sub-buffer. */
	ring_set(s, 5, SUBBUF);
	ck_assert(!kvfs_scan_copy(s, SUBBUF, lies, false, copy));
	free(ring.mem);
}
END_TEST

START_TEST(geometry_is_not_taken_from_the_ring)
{
	struct test_ring ring = ring_create(SUBBUF, 4);
	struct kvfs_ring_meta geometry = *ring.meta, copy;

	ring.meta->nr_subbufs = 1000;
	ring.meta->subbuf_size = 1 << 20;
	ring.meta->reader.id = 4;
	ring.meta->entries = 17;
	kvfs_scan_copy_meta(ring.mem, &geometry, (uint8_t *)&copy);
	ck_assert_uint_eq(copy.nr_subbufs, 4);
	ck_assert_uint_eq(copy.subbuf_size, SUBBUF);
	ck_assert_uint_eq(copy.reader.id, 0);
	ck_assert_uint_eq(copy.entries, 17);
	free(ring.mem);
}
END_TEST

UNIT_MAIN("scan",
	newest_first,
	equal_time_stamps_go_by_id,
	only_committed_bytes_are_copied,
	a_number_of_lost_events_comes_late,
	overwritten_is_no_copy,
	geometry_is_not_taken_from_the_ring)
