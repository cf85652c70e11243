// SPDX-License-Identifier: GPL-2.0-only
#include "dump/chunkcache.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "unit.h"

#define NR_CHUNKS 200

static atomic_uint fills[NR_CHUNKS];

static unsigned char byte_at(uint64_t off)
{
	return (unsigned char)(off * 7 + off / 251);
}

/* The result of block 9 of chunk 20. */
static atomic_int unavailable;

static struct kvfs_pool *pool;

static struct kvfs_pool *make_pool(void)
{
	ck_assert_int_eq(kvfs_pool_create(8, &pool), 0);
	return pool;
}

/* Block 3 of chunk 5 is damaged. */
static void fill(void *arg, uint64_t nr, unsigned char *buf, struct kvfs_dump_result *result)
{
	ck_assert_uint_lt(nr, NR_CHUNKS);
	atomic_fetch_add(&fills[nr], 1);
	for (size_t i = 0; i < KVFS_CHUNK_LEN; i++)
		buf[i] = byte_at(nr * KVFS_CHUNK_LEN + i);
	if (nr == 5)
		kvfs_dump_result_note(result, 3, -EBADMSG);
	if (nr == 20)
		kvfs_dump_result_note(result, 9, atomic_load(&unavailable));
}

static void check(struct kvfs_chunkcache *cache, uint64_t off, size_t len, int want)
{
	unsigned char *buf = malloc(len + 1);
	size_t wrong = 0;

	buf[len] = 0xa5;
	ck_assert_int_eq(kvfs_chunkcache_read(cache, buf, len, off), want);
	for (size_t i = 0; i < len && want == 0; i++)
		wrong += buf[i] != byte_at(off + i);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_int_eq(buf[len], 0xa5);
	free(buf);
}

START_TEST(test_read)
{
	struct kvfs_chunkcache *cache = kvfs_chunkcache_create(make_pool(), (unsigned int)_i, 0, NR_CHUNKS, fill, NULL);

	check(cache, 0, 1, 0);
	check(cache, 0, 0, 0);
	check(cache, KVFS_CHUNK_LEN - 1, 2, 0);
	check(cache, 10 * KVFS_CHUNK_LEN + 17, 3 * KVFS_CHUNK_LEN, 0);
	check(cache, (uint64_t)NR_CHUNKS * KVFS_CHUNK_LEN - 5, 5, 0);
	kvfs_chunkcache_destroy(cache);
	kvfs_pool_destroy(pool);
	kvfs_chunkcache_destroy(NULL);
}
END_TEST

START_TEST(test_bad_block)
{
	struct kvfs_chunkcache *cache = kvfs_chunkcache_create(make_pool(), (unsigned int)_i, 0, NR_CHUNKS, fill, NULL);
	uint64_t bad = 5 * KVFS_CHUNK_LEN + 3 * KVFS_CHUNK_BLOCK_LEN;

	check(cache, bad - 10, 10, 0);
	check(cache, bad - 10, 11, -EIO);
	check(cache, bad + KVFS_CHUNK_BLOCK_LEN - 1, 1, -EIO);
	check(cache, bad + KVFS_CHUNK_BLOCK_LEN, 100, 0);
	check(cache, 4 * KVFS_CHUNK_LEN, 3 * KVFS_CHUNK_LEN, -EIO);
	/* What is damaged stays so, and is kept. */
	ck_assert_uint_eq(fills[5], 1);
	kvfs_chunkcache_destroy(cache);
	kvfs_pool_destroy(pool);
}
END_TEST

/* An unavailable block fails the reads of it; the chunk is filled again for the next, and then kept. */
START_TEST(test_unavailable)
{
	struct kvfs_chunkcache *cache = kvfs_chunkcache_create(make_pool(), 0, 0, NR_CHUNKS, fill, NULL);
	uint64_t block = 20 * KVFS_CHUNK_LEN + 9 * KVFS_CHUNK_BLOCK_LEN;
	static const int errors[] = { -EIO, -ENOMEM, -EMFILE };

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		atomic_store(&unavailable, errors[i]);
		check(cache, block, 1, errors[i]);
		check(cache, block - 1, 2, errors[i]);
		check(cache, block - 10, 10, 0);
		check(cache, block + KVFS_CHUNK_BLOCK_LEN, 10, 0);
		check(cache, 19 * KVFS_CHUNK_LEN, 3 * KVFS_CHUNK_LEN, errors[i]);
	}
	ck_assert_uint_eq(fills[20], 5 * sizeof(errors) / sizeof(errors[0]));
	atomic_store(&unavailable, 0);
	atomic_store(&fills[20], 0);
	for (int i = 0; i < 3; i++)
		check(cache, block, 1, 0);
	ck_assert_uint_eq(fills[20], 1);
	kvfs_chunkcache_destroy(cache);
	kvfs_pool_destroy(pool);
}
END_TEST

static void *read_unavailable(void *arg)
{
	uint64_t block = 20 * KVFS_CHUNK_LEN + 9 * KVFS_CHUNK_BLOCK_LEN;

	for (int i = 0; i < 300; i++) {
		check(arg, block, 1, -ENOMEM);
		check(arg, 19 * KVFS_CHUNK_LEN, KVFS_CHUNK_LEN, 0);
		check(arg, block - 1, 1, 0);
	}
	return NULL;
}

/* Readers share one attempt to fill a chunk, or make their own; each gets its result. */
START_TEST(test_unavailable_to_many)
{
	struct kvfs_chunkcache *cache = kvfs_chunkcache_create(make_pool(), 2, 0, NR_CHUNKS, fill, NULL);
	uint64_t block = 20 * KVFS_CHUNK_LEN + 9 * KVFS_CHUNK_BLOCK_LEN;
	pthread_t threads[4];
	char byte;

	atomic_store(&unavailable, -ENOMEM);
	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, read_unavailable, cache);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	/* A thread of the cache may still be filling it as it was. */
	atomic_store(&unavailable, 0);
	while (kvfs_chunkcache_read(cache, &byte, 1, block) < 0)
		sched_yield();
	check(cache, block, 1, 0);
	kvfs_chunkcache_destroy(cache);
	kvfs_pool_destroy(pool);
}
END_TEST

/* More unavailable chunks than the cache keeps leave it in order. */
START_TEST(test_unavailable_and_full)
{
	struct kvfs_chunkcache *cache = kvfs_chunkcache_create(make_pool(), 0, 0, NR_CHUNKS, fill, NULL);

	atomic_store(&unavailable, -ENOMEM);
	for (uint64_t nr = 0; nr < NR_CHUNKS; nr++) {
		check(cache, 20 * KVFS_CHUNK_LEN, KVFS_CHUNK_LEN, -ENOMEM);
		if (nr != 5 && nr != 20)
			check(cache, nr * KVFS_CHUNK_LEN, KVFS_CHUNK_LEN, 0);
	}
	ck_assert_uint_eq(fills[20], NR_CHUNKS);
	ck_assert_uint_eq(fills[100], 1);
	kvfs_chunkcache_destroy(cache);
	kvfs_pool_destroy(pool);
}
END_TEST

/* In order and without threads each chunk is filled once, and again after it was evicted. */
START_TEST(test_bounded)
{
	struct kvfs_chunkcache *cache = kvfs_chunkcache_create(make_pool(), 0, 64 * KVFS_CHUNK_LEN, NR_CHUNKS, fill, NULL);

	for (uint64_t nr = 0; nr < NR_CHUNKS; nr++)
		if (nr != 5)
			check(cache, nr * KVFS_CHUNK_LEN, KVFS_CHUNK_LEN, 0);
	for (uint64_t nr = NR_CHUNKS - 64; nr < NR_CHUNKS; nr++)
		check(cache, nr * KVFS_CHUNK_LEN, 1, 0);
	for (uint64_t nr = 0; nr < NR_CHUNKS; nr++)
		ck_assert_uint_eq(fills[nr], nr != 5);
	check(cache, 0, 1, 0);
	ck_assert_uint_eq(fills[0], 2);
	kvfs_chunkcache_destroy(cache);
	kvfs_pool_destroy(pool);
}
END_TEST

/* For a reader in order other threads fill the next chunks. */
START_TEST(test_ahead)
{
	struct kvfs_chunkcache *cache = kvfs_chunkcache_create(make_pool(), 2, 0, NR_CHUNKS, fill, NULL);

	check(cache, 100 * KVFS_CHUNK_LEN, 1, 0);
	check(cache, 101 * KVFS_CHUNK_LEN, 1, 0);
	while (!atomic_load(&fills[102]))
		sched_yield();
	ck_assert_uint_eq(fills[99], 0);
	kvfs_chunkcache_destroy(cache);
	kvfs_pool_destroy(pool);
}
END_TEST

/* The next chunks are queued many at a time: 16 ahead, and more when 8 are left. */
START_TEST(test_ahead_in_batches)
{
	struct kvfs_chunkcache *cache = kvfs_chunkcache_create(make_pool(), 2, 0, NR_CHUNKS, fill, NULL);

	check(cache, 100 * KVFS_CHUNK_LEN, 1, 0);
	for (uint64_t nr = 101; nr < 109; nr++)
		check(cache, nr * KVFS_CHUNK_LEN, 1, 0);
	while (!atomic_load(&fills[117]))
		sched_yield();
	ck_assert_uint_eq(fills[118], 0);
	check(cache, 109 * KVFS_CHUNK_LEN, 1, 0);
	while (!atomic_load(&fills[125]))
		sched_yield();
	kvfs_chunkcache_destroy(cache);
	kvfs_pool_destroy(pool);
	for (uint64_t nr = 0; nr < NR_CHUNKS; nr++)
		ck_assert_uint_eq(fills[nr], nr >= 100 && nr < 126);
}
END_TEST

/* Without threads the readers make all, each chunk once. */
START_TEST(test_no_threads)
{
	struct kvfs_chunkcache *cache;

	ck_assert_int_eq(kvfs_pool_create(0, &pool), 0);
	cache = kvfs_chunkcache_create(_i ? pool : NULL, 4, 0, NR_CHUNKS, fill, NULL);
	for (uint64_t nr = 100; nr < 120; nr++)
		check(cache, nr * KVFS_CHUNK_LEN, 2 * KVFS_CHUNK_LEN, 0);
	for (uint64_t nr = 0; nr < NR_CHUNKS; nr++)
		ck_assert_uint_eq(fills[nr], nr >= 100 && nr < 121);
	kvfs_chunkcache_destroy(cache);
	kvfs_pool_destroy(pool);
}
END_TEST

struct reader {
	struct kvfs_chunkcache *cache;
	unsigned int seed;
};

static void *read_at_random(void *arg)
{
	struct reader *r = arg;

	for (int i = 0; i < 300; i++) {
		uint64_t off = (uint64_t)rand_r(&r->seed) % ((NR_CHUNKS - 4) * (uint64_t)KVFS_CHUNK_LEN);
		size_t len = (size_t)rand_r(&r->seed) % (3 * KVFS_CHUNK_LEN);
		uint64_t bad = 5 * KVFS_CHUNK_LEN + 3 * KVFS_CHUNK_BLOCK_LEN;

		check(r->cache, off, len, off < bad + KVFS_CHUNK_BLOCK_LEN && off + len > bad && len ? -EIO : 0);
	}
	return NULL;
}

START_TEST(test_threads)
{
	struct kvfs_chunkcache *cache = kvfs_chunkcache_create(make_pool(), 3, 0, NR_CHUNKS, fill, NULL);
	struct reader readers[4];
	pthread_t threads[4];

	for (unsigned int i = 0; i < 4; i++) {
		readers[i] = (struct reader) { cache, i + 1 };
		pthread_create(&threads[i], NULL, read_at_random, &readers[i]);
	}
	for (unsigned int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	kvfs_chunkcache_destroy(cache);
	kvfs_pool_destroy(pool);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chunkcache");
	TCase *tcase = tcase_create("chunkcache");

	tcase_add_loop_test(tcase, test_read, 0, 3);
	tcase_add_loop_test(tcase, test_bad_block, 0, 3);
	tcase_add_test(tcase, test_unavailable);
	tcase_add_test(tcase, test_unavailable_to_many);
	tcase_add_test(tcase, test_unavailable_and_full);
	tcase_add_test(tcase, test_bounded);
	tcase_add_test(tcase, test_ahead);
	tcase_add_test(tcase, test_ahead_in_batches);
	tcase_add_loop_test(tcase, test_no_threads, 0, 2);
	tcase_add_test(tcase, test_threads);
	suite_add_tcase(suite, tcase);
	return unit_run_suite(suite, tcase);
}
