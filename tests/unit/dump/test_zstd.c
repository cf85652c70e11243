// SPDX-License-Identifier: GPL-2.0-only
#include "dump/zstd.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "failalloc.h"
#include "unit.h"

#define PAGE 4096

static struct kvfs_zstd *zstd;
static unsigned char page[PAGE], packed[2 * PAGE];
static size_t packed_len;

/* libzstd without memory: for a context, and while it decompresses. */
ZSTD_DCtx *__wrap_ZSTD_createDCtx(void);
ZSTD_DCtx *__real_ZSTD_createDCtx(void);
size_t __wrap_ZSTD_decompressDCtx(ZSTD_DCtx *ctx, void *dst, size_t dst_len, const void *src, size_t src_len);
size_t __real_ZSTD_decompressDCtx(ZSTD_DCtx *ctx, void *dst, size_t dst_len, const void *src, size_t src_len);

static bool no_context, no_workspace;

ZSTD_DCtx *__wrap_ZSTD_createDCtx(void)
{
	return no_context ? NULL : __real_ZSTD_createDCtx();
}

size_t __wrap_ZSTD_decompressDCtx(ZSTD_DCtx *ctx, void *dst, size_t dst_len, const void *src, size_t src_len)
{
	if (no_workspace)
		return (size_t)-ZSTD_error_memory_allocation;
	return __real_ZSTD_decompressDCtx(ctx, dst, dst_len, src, src_len);
}

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

	return kvfs_zstd_decompress(zstd, src, len, out, PAGE) == 0 && memcmp(out, page, PAGE) == 0;
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
		ck_assert_int_eq(kvfs_zstd_decompress(zstd, packed, len, out, PAGE), -EBADMSG);
	for (size_t i = 0; i < packed_len; i++) {
		memcpy(wrong, packed, packed_len);
		wrong[i] ^= 0x55;
		kvfs_zstd_decompress(zstd, wrong, packed_len, out, PAGE);
	}
	ck_assert_int_eq(kvfs_zstd_decompress(zstd, packed, packed_len, out, PAGE - 1), -EBADMSG);
	ck_assert_int_eq(kvfs_zstd_decompress(zstd, wrong, ZSTD_compress(wrong, sizeof(wrong), page, 100, 1),
					      out, PAGE), -EBADMSG);
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

	set_up();
	kvfs_zstd_destroy(zstd);
	failalloc_try_all(ret, ret = kvfs_zstd_create(&zstd));
	/* A page for which there was no memory is not damaged. */
	no_context = true;
	ck_assert_int_eq(kvfs_zstd_decompress(zstd, packed, packed_len, page, PAGE), -ENOMEM);
	no_context = false;
	no_workspace = true;
	ck_assert_int_eq(kvfs_zstd_decompress(zstd, packed, packed_len, page, PAGE), -ENOMEM);
	no_workspace = false;
	ck_assert(decompress(packed, packed_len));
	kvfs_zstd_destroy(zstd);
}
END_TEST

UNIT_MAIN("dump/zstd", test_page, test_malformed, test_threads, test_out_of_memory)
