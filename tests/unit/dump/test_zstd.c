// SPDX-License-Identifier: GPL-2.0-only
#include "dump/zstd.h"

#include <errno.h>
#include <pthread.h>
#include <zstd.h>

#include "failalloc.h"
#include "unit.h"

#define PAGE 4096

static struct kvfs_zstd *zstd;
static unsigned char page[PAGE], packed[2 * PAGE];
static size_t packed_len;

static void set_up(void)
{
	for (size_t i = 0; i < PAGE; i++)
		page[i] = (unsigned char)(i / 16);
	packed_len = ZSTD_compress(packed, sizeof(packed), page, PAGE, 1);
	ck_assert_uint_lt(packed_len, PAGE);
	ck_assert_int_eq(kvfs_zstd_create(&zstd), 0);
	ck_assert_ptr_nonnull(zstd);
}

static bool decompress(const void *src, size_t len)
{
	unsigned char out[PAGE];

	return kvfs_zstd_decompress(zstd, src, len, out, PAGE) && memcmp(out, page, PAGE) == 0;
}

START_TEST(test_page)
{
	set_up();
	for (int i = 0; i < 3; i++)
		ck_assert(decompress(packed, packed_len));
	kvfs_zstd_destroy(zstd);
	kvfs_zstd_destroy(NULL);
}
END_TEST

/* What is no page, or one of another length, is refused, and does no harm to the next. */
START_TEST(test_malformed)
{
	unsigned char out[PAGE], wrong[2 * PAGE];

	set_up();
	for (size_t len = 0; len < packed_len; len++)
		ck_assert(!decompress(packed, len));
	for (size_t i = 0; i < packed_len; i++) {
		memcpy(wrong, packed, packed_len);
		wrong[i] ^= 0x55;
		kvfs_zstd_decompress(zstd, wrong, packed_len, out, PAGE);
	}
	ck_assert(!kvfs_zstd_decompress(zstd, packed, packed_len, out, PAGE - 1));
	ck_assert(!kvfs_zstd_decompress(zstd, wrong, ZSTD_compress(wrong, sizeof(wrong), page, 100, 1), out, PAGE));
	ck_assert(decompress(packed, packed_len));
	kvfs_zstd_destroy(zstd);
}
END_TEST

static void *work(void *arg)
{
	for (int i = 0; i < 1000; i++)
		ck_assert(decompress(packed, packed_len));
	return NULL;
}

START_TEST(test_threads)
{
	pthread_t threads[20];

	set_up();
	for (size_t i = 0; i < 20; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, NULL), 0);
	for (size_t i = 0; i < 20; i++)
		pthread_join(threads[i], NULL);
	kvfs_zstd_destroy(zstd);
}
END_TEST

START_TEST(test_out_of_memory)
{
	int ret;

	failalloc_try_all(ret, ret = kvfs_zstd_create(&zstd));
	kvfs_zstd_destroy(zstd);
}
END_TEST

UNIT_MAIN("zstdpage", test_page, test_malformed, test_threads, test_out_of_memory)
