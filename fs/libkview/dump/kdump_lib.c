// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_lib.h"

#include <errno.h>
#include <libkdumpfile/kdumpfile.h>
#include <pthread.h>
#include <stdlib.h>

/*
 * Pages that the library keeps. What is worth keeping is kept elsewhere (chunkcache.h), but
 * each thread that reads needs one for the moment.
 */
#define CACHE_PAGES 64
/* Idle clones that are kept. */
#define MAX_IDLE 16

struct kvfs_kdump_lib {
	kdump_ctx_t *ctx;		/* what the others are clones of; not read from */
	uint32_t page_size;
	pthread_mutex_t lock;		/* all below, and the making of clones */
	size_t nr_idle;
	kdump_ctx_t *idle[MAX_IDLE];
};

static int fail(struct kvfs_kdump_lib *lib, const char *what, struct kvfs_err *err)
{
	const char *text = kdump_get_err(lib->ctx);

	kvfs_err_set(err, EBADMSG, "%s: libkdumpfile: %s", what, text ? text : "no reason given");
	kvfs_kdump_lib_close(lib);
	return -EBADMSG;
}

/*
 * The library also takes headers of 32-bit and big-endian machines for granted, and tries
 * those layouts first. What it believes must be what was judged.
 */
static int check_layout(struct kvfs_kdump_lib *lib, struct kvfs_err *err)
{
	kdump_num_t page_size = 0, ptr_size = 0, byte_order = KDUMP_BIG_ENDIAN;

	if (kdump_get_number_attr(lib->ctx, KDUMP_ATTR_PAGE_SIZE, &page_size) != KDUMP_OK ||
	    kdump_get_number_attr(lib->ctx, KDUMP_ATTR_PTR_SIZE, &ptr_size) != KDUMP_OK ||
	    kdump_get_number_attr(lib->ctx, KDUMP_ATTR_BYTE_ORDER, &byte_order) != KDUMP_OK)
		return fail(lib, "the dump's layout", err);
	if (page_size == lib->page_size && ptr_size == 8 && byte_order == KDUMP_LITTLE_ENDIAN)
		return 0;
	kvfs_kdump_lib_close(lib);
	return kvfs_err_set(err, EBADMSG, "libkdumpfile takes the header of the dump for another one than it is");
}

int kvfs_kdump_lib_open(const int *fds, size_t nr, uint32_t page_size, struct kvfs_kdump_lib **out,
			struct kvfs_err *err)
{
	struct kvfs_kdump_lib *lib = calloc(1, sizeof(*lib));
	int ret;

	if (!lib)
		return kvfs_err_sys(err, ENOMEM, "libkdumpfile");
	lib->page_size = page_size;
	pthread_mutex_init(&lib->lock, NULL);
	lib->ctx = kdump_new();
	if (!lib->ctx) {
		kvfs_kdump_lib_close(lib);
		return kvfs_err_sys(err, ENOMEM, "libkdumpfile");
	}
	if (kdump_open_fdset(lib->ctx, (unsigned int)nr, fds) != KDUMP_OK)
		return fail(lib, "cannot open the dump", err);
	ret = check_layout(lib, err);
	if (ret < 0)
		return ret;
	/* A mapped file that somebody cuts short kills who reads it. */
	if (kdump_set_number_attr(lib->ctx, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER) != KDUMP_OK ||
	    kdump_set_number_attr(lib->ctx, "cache.size", CACHE_PAGES) != KDUMP_OK)
		return fail(lib, "cannot set up the cache", err);
	*out = lib;
	return 0;
}

void kvfs_kdump_lib_close(struct kvfs_kdump_lib *lib)
{
	if (!lib)
		return;
	for (size_t i = 0; i < lib->nr_idle; i++)
		kdump_free(lib->idle[i]);
	if (lib->ctx)
		kdump_free(lib->ctx);
	pthread_mutex_destroy(&lib->lock);
	free(lib);
}

/* A context that nobody else uses; NULL if out of memory. */
static kdump_ctx_t *get_ctx(struct kvfs_kdump_lib *lib)
{
	kdump_ctx_t *ctx;

	pthread_mutex_lock(&lib->lock);
	if (lib->nr_idle > 0)
		ctx = lib->idle[--lib->nr_idle];
	else
		ctx = kdump_clone(lib->ctx, 0);
	pthread_mutex_unlock(&lib->lock);
	return ctx;
}

static void put_ctx(struct kvfs_kdump_lib *lib, kdump_ctx_t *ctx)
{
	pthread_mutex_lock(&lib->lock);
	if (lib->nr_idle < MAX_IDLE) {
		lib->idle[lib->nr_idle++] = ctx;
		ctx = NULL;
	}
	pthread_mutex_unlock(&lib->lock);
	if (ctx)
		kdump_free(ctx);
}

size_t kvfs_kdump_lib_read(struct kvfs_kdump_lib *lib, void *buf, size_t len, uint64_t paddr)
{
	kdump_ctx_t *ctx = get_ctx(lib);
	size_t done = len;

	if (!ctx)
		return 0;
	/* Machine addresses are what the format has: nothing is translated. */
	if (kdump_read(ctx, KDUMP_MACHPHYSADDR, paddr, buf, &done) == KDUMP_OK)
		done = len;
	put_ctx(lib, ctx);
	return done / lib->page_size * lib->page_size;
}
