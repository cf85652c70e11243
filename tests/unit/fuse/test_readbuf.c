// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/readbuf.h"

#include <pthread.h>
#include <stdbool.h>

#include "failalloc.h"
#include "unit.h"

#define MANY 32
#define SMALL (64 * 1024)

START_TEST(large_ones_are_few_and_kept)
{
	struct kvfs_readbuf a = kvfs_readbuf_get(KVFS_READBUF_MAX);
	struct kvfs_readbuf b = kvfs_readbuf_get(SMALL + 1);
	void *mem = a.mem;

	ck_assert(a.mem && b.mem && a.mem != b.mem);
	memset(a.mem, 1, KVFS_READBUF_MAX);
	memset(b.mem, 2, KVFS_READBUF_MAX);
	kvfs_readbuf_put(a);
	a = kvfs_readbuf_get(KVFS_READBUF_MAX);
	ck_assert_ptr_eq(a.mem, mem);
	kvfs_readbuf_put(a);
	kvfs_readbuf_put(b);
	kvfs_readbuf_deinit();
}
END_TEST

START_TEST(small_ones_never_wait)
{
	struct kvfs_readbuf bufs[MANY];

	for (int i = 0; i < MANY; i++) {
		bufs[i] = kvfs_readbuf_get(i == 0 ? 0 : SMALL);
		ck_assert_ptr_nonnull(bufs[i].mem);
	}
	for (int i = 0; i < MANY; i++)
		kvfs_readbuf_put(bufs[i]);
}
END_TEST

/* A thread that has a large buffer to itself, again and again. */
static void *use(void *arg)
{
	for (int i = 0; i < 200; i++) {
		struct kvfs_readbuf buf = kvfs_readbuf_get(KVFS_READBUF_MAX);
		void *volatile *mine = buf.mem;

		if (!mine)
			return arg;
		for (int j = 0; j < 100; j++) {
			mine[j] = arg;
			if (mine[j] != arg)
				abort();
		}
		kvfs_readbuf_put(buf);
	}
	return NULL;
}

START_TEST(many_threads_share_them)
{
	pthread_t threads[MANY];
	void *failed;

	for (long i = 0; i < MANY; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, use, (void *)(i + 1)), 0);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	kvfs_readbuf_deinit();
}
END_TEST

START_TEST(out_of_memory)
{
	struct kvfs_readbuf buf;

	for (size_t len = 1; len <= KVFS_READBUF_MAX; len += KVFS_READBUF_MAX - 1) {
		failalloc_arm(0);
		buf = kvfs_readbuf_get(len);
		ck_assert_ptr_null(buf.mem);
		ck_assert(failalloc_happened());
	}
	/* Nothing was lost by it. */
	for (int i = 0; i < MANY; i++) {
		buf = kvfs_readbuf_get(KVFS_READBUF_MAX);
		ck_assert_ptr_nonnull(buf.mem);
		kvfs_readbuf_put(buf);
	}
	kvfs_readbuf_deinit();
}
END_TEST

UNIT_MAIN("readbuf", large_ones_are_few_and_kept, small_ones_never_wait, many_threads_share_them,
	  out_of_memory)
