// SPDX-License-Identifier: GPL-2.0-only
/* Images of rings that change between two looks. */
#include "trace/image.h"

#include <errno.h>
#include <stdlib.h>

#include "failalloc.h"
#include "ring_builder.h"
#include "trace/ring.h"
#include "unit.h"

#define SUBBUF 256

START_TEST(image_is_of_one_moment)
{
	struct test_ring ring = ring_create(SUBBUF, 4);
	struct kvfs_image *image;
	uint8_t buf[6 * SUBBUF];

	/* The reader, which is on 0, has finished 3; 1 is the newest. */
	ring_put_events(ring_subbuf(&ring, 3), 10, 3);
	ring_put_events(ring_subbuf(&ring, 0), 50, 3);
	ring_put_events(ring_subbuf(&ring, 1), 100, 3);
	ck_assert_int_eq(kvfs_image_create(ring.mem, ring.meta, &image), 0);
	/* The first look: from here on nothing new gets in. */
	ck_assert_uint_eq(kvfs_image_read(image, buf, 80, 0), 80);
	RING_WORDS(ring_subbuf(&ring, 1), RING_EVENT(1, 1), 103);
	ring_put_events(ring_subbuf(&ring, 2), 104, 1);
	ring.meta->entries = 4;
	ck_assert_uint_eq(kvfs_image_read(image, buf, sizeof(buf), 0), ring.len);
	ck_assert_uint_eq(ring_commit(buf + SUBBUF), 24);
	ck_assert_uint_eq(ring_commit(buf + 2 * SUBBUF), 24);
	ck_assert_mem_eq(buf + 2 * SUBBUF + 16, ring_subbuf(&ring, 1) + 16, 24);
	ck_assert_uint_eq(ring_commit(buf + 3 * SUBBUF), 0);
	ck_assert_uint_eq(ring_commit(buf + 4 * SUBBUF), 0);
	ck_assert_uint_eq(((struct kvfs_ring_meta *)buf)->entries, 0);
	kvfs_image_refresh(image);
	ck_assert_uint_eq(kvfs_image_read(image, buf, sizeof(buf), 0), ring.len);
	ck_assert_uint_eq(ring_commit(buf + 2 * SUBBUF), 32);
	ck_assert_uint_eq(ring_commit(buf + 3 * SUBBUF), 8);
	ck_assert_uint_eq(((struct kvfs_ring_meta *)buf)->entries, 4);
	ck_assert_uint_eq(kvfs_image_read(image, buf, 10, ring.len - 4), 4);
	ck_assert_uint_eq(kvfs_image_read(image, buf, 10, ring.len), 0);
	kvfs_image_destroy(image);
	free(ring.mem);
}
END_TEST

START_TEST(image_leaves_out_what_was_overwritten)
{
	struct test_ring ring = ring_create(SUBBUF, 4);
	struct kvfs_image *image;
	uint8_t buf[6 * SUBBUF];

	ring_put_events(ring_subbuf(&ring, 1), 10, 3);
	ring_put_events(ring_subbuf(&ring, 2), 20, 3);
	ring_put_events(ring_subbuf(&ring, 3), 30, 3);
	ck_assert_int_eq(kvfs_image_create(ring.mem, ring.meta, &image), 0);
	ck_assert_uint_eq(kvfs_image_read(image, buf, 80, 0), 80);
	ring_put_events(ring_subbuf(&ring, 2), 40, 3);
	/* From inside a sub-buffer: all of it is taken. */
	ck_assert_uint_eq(kvfs_image_read(image, buf, 16, 3 * SUBBUF + 16), 16);
	ck_assert_uint_eq(kvfs_image_read(image, buf, sizeof(buf), 0), ring.len);
	ck_assert_uint_eq(ring_commit(buf + 2 * SUBBUF), 0);
	ck_assert_uint_eq(ring_commit(buf + 3 * SUBBUF), 0);
	ck_assert_uint_eq(ring_commit(buf + 4 * SUBBUF), 24);
	kvfs_image_destroy(image);
	free(ring.mem);
}
END_TEST

START_TEST(an_empty_ring)
{
	struct test_ring ring = ring_create(SUBBUF, 3);
	struct kvfs_image *image;
	uint8_t buf[4 * SUBBUF];

	ck_assert_int_eq(kvfs_image_create(ring.mem, ring.meta, &image), 0);
	ck_assert_uint_eq(kvfs_image_read(image, buf, sizeof(buf), 0), ring.len);
	ck_assert_mem_eq(buf, ring.mem, ring.len);
	ck_assert_uint_eq(kvfs_image_read(image, buf, 0, 0), 0);
	kvfs_image_destroy(image);
	kvfs_image_destroy(NULL);
	free(ring.mem);
}
END_TEST

START_TEST(no_memory)
{
	struct test_ring ring = ring_create(SUBBUF, 3);
	struct kvfs_image *image;
	int ret;

	failalloc_try_all(ret, ret = kvfs_image_create(ring.mem, ring.meta, &image));
	ck_assert_int_eq(ret, 0);
	kvfs_image_destroy(image);
	free(ring.mem);
}
END_TEST

UNIT_MAIN("image",
	image_is_of_one_moment,
	image_leaves_out_what_was_overwritten,
	an_empty_ring,
	no_memory)
