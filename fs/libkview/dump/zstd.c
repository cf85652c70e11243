// SPDX-License-Identifier: GPL-2.0-only
#include "dump/zstd.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* Idle contexts that are kept, some 150 KiB each. */
#define MAX_IDLE 16

struct kvfs_zstd {
	pthread_mutex_t lock;		/* all below */
	size_t nr_idle;
	ZSTD_DCtx *idle[MAX_IDLE];
};

int kvfs_zstd_create(struct kvfs_zstd **out)
{
	struct kvfs_zstd *z = calloc(1, sizeof(*z));

	if (!z)
		return -ENOMEM;
	pthread_mutex_init(&z->lock, NULL);
	*out = z;
	return 0;
}

void kvfs_zstd_destroy(struct kvfs_zstd *z)
{
	if (!z)
		return;
	for (size_t i = 0; i < z->nr_idle; i++)
		ZSTD_freeDCtx(z->idle[i]);
	pthread_mutex_destroy(&z->lock);
	free(z);
}

/* Lends a context to one thread. Returns NULL if out of memory. */
static ZSTD_DCtx *get_ctx(struct kvfs_zstd *z)
{
	ZSTD_DCtx *ctx = NULL;

	pthread_mutex_lock(&z->lock);
	if (z->nr_idle > 0)
		ctx = z->idle[--z->nr_idle];
	pthread_mutex_unlock(&z->lock);
	return ctx ? ctx : ZSTD_createDCtx();
}

static void put_ctx(struct kvfs_zstd *z, ZSTD_DCtx *ctx)
{
	pthread_mutex_lock(&z->lock);
	if (z->nr_idle < MAX_IDLE) {
		z->idle[z->nr_idle++] = ctx;
		ctx = NULL;
	}
	pthread_mutex_unlock(&z->lock);
	ZSTD_freeDCtx(ctx);
}

int kvfs_zstd_decompress(struct kvfs_zstd *z, const void *src, size_t len, void *dst, size_t page_len)
{
	ZSTD_DCtx *ctx = get_ctx(z);
	size_t n;

	if (!ctx)
		return -ENOMEM;
	n = ZSTD_decompressDCtx(ctx, dst, page_len, src, len);
	put_ctx(z, ctx);
	if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
		return -ENOMEM;
	/* Other errors are numbers beyond all lengths. */
	return n == page_len ? 0 : -EBADMSG;
}
