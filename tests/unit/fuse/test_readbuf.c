// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/readbuf.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "failalloc.h"
#include "unit.h"

#define MANY 32
#define SMALL (64 * 1024)

/* The clock stands still, but for waits, which last as long as they may; 0: it goes. */
static int64_t time_ms;
static int nr_waits;

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
	if (!time_ms)
		return __real_clock_gettime(clock, out);
	*out = (struct timespec){ .tv_sec = time_ms / 1000, .tv_nsec = time_ms % 1000 * 1000000 };
	return 0;
}

int __real_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *lock, clockid_t clock,
				  const struct timespec *until);
int __wrap_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *lock, clockid_t clock,
				  const struct timespec *until);
int __wrap_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *lock, clockid_t clock,
				  const struct timespec *until)
{
	if (!time_ms)
		return __real_pthread_cond_clockwait(cond, lock, clock, until);
	nr_waits++;
	time_ms = until->tv_sec * 1000 + until->tv_nsec / 1000000;
	return ETIMEDOUT;
}

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

START_TEST(a_source_that_hangs_holds_up_no_other)
{
	struct kvfs_readbuf hung[20], buf;

	time_ms = 5000;
	hung[0] = kvfs_readbuf_get(KVFS_READBUF_MAX);
	hung[1] = kvfs_readbuf_get(KVFS_READBUF_MAX);
	/* At first they count: the third waits, and then has one of its own. */
	hung[2] = kvfs_readbuf_get(KVFS_READBUF_MAX);
	ck_assert_ptr_nonnull(hung[2].mem);
	ck_assert_int_eq(nr_waits, 1);
	ck_assert_int_eq(time_ms, 5000 + KVFS_READBUF_SLOW_MS);
	for (int i = 3; i < 20; i++) {
		time_ms += KVFS_READBUF_SLOW_MS;
		hung[i] = kvfs_readbuf_get(KVFS_READBUF_MAX);
		ck_assert_ptr_nonnull(hung[i].mem);
	}
	/* From then on none waits for them. */
	time_ms += KVFS_READBUF_SLOW_MS;
	nr_waits = 0;
	for (int i = 0; i < 100; i++) {
		buf = kvfs_readbuf_get(KVFS_READBUF_MAX);
		ck_assert_ptr_nonnull(buf.mem);
		kvfs_readbuf_put(buf);
	}
	ck_assert_int_eq(nr_waits, 0);
	for (int i = 0; i < 20; i++)
		kvfs_readbuf_put(hung[i]);
	kvfs_readbuf_deinit();
	/* check takes the time of a test by the same function. */
	time_ms = 0;
}
END_TEST

START_TEST(fast_ones_share_two)
{
	struct kvfs_readbuf one = kvfs_readbuf_get(KVFS_READBUF_MAX), two = kvfs_readbuf_get(KVFS_READBUF_MAX);
	void *first = one.mem, *second = two.mem;

	for (int i = 0; i < 100; i++) {
		kvfs_readbuf_put(two);
		kvfs_readbuf_put(one);
		one = kvfs_readbuf_get(KVFS_READBUF_MAX);
		two = kvfs_readbuf_get(KVFS_READBUF_MAX);
		ck_assert_ptr_eq(one.mem, first);
		ck_assert_ptr_eq(two.mem, second);
	}
	kvfs_readbuf_put(one);
	kvfs_readbuf_put(two);
	ck_assert_int_eq(nr_waits, 0);
	kvfs_readbuf_deinit();
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

UNIT_MAIN("readbuf", large_ones_are_few_and_kept, small_ones_never_wait,
	  a_source_that_hangs_holds_up_no_other, fast_ones_share_two, many_threads_share_them,
	  out_of_memory)
