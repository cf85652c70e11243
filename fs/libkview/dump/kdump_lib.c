// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_lib.h"

#include <errno.h>
#include <libkdumpfile/kdumpfile.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * Pages that the library keeps. chunkcache.h keeps what is worth it, but each thread that reads
 * needs one of these, and one more thread would get KDUMP_ERR_BUSY.
 */
#define CACHE_PAGES 64
/* Idle clones that are kept. */
#define MAX_IDLE 16

struct kvfs_kdump_lib {
	kdump_ctx_t *ctx;		/* the others are its clones; not read from */
	uint32_t page_size;
	pthread_mutex_t lock;		/* all below, and the making of clones */
	pthread_cond_t returned;	/* a context is no longer at work */
	size_t nr_at_work;
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
 * The library tries the header layouts of 32-bit and big-endian machines first. The one that it
 * settles on must be the one that kdump_header.h checked.
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
	pthread_cond_init(&lib->returned, NULL);
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
	/* A truncated mapping raises SIGBUS, so the dump is never mapped. */
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
	pthread_cond_destroy(&lib->returned);
	pthread_mutex_destroy(&lib->lock);
	free(lib);
}

/* Lends a context to one thread; waits while CACHE_PAGES are lent. Returns NULL if out of memory. */
static kdump_ctx_t *get_ctx(struct kvfs_kdump_lib *lib)
{
	kdump_ctx_t *ctx;

	pthread_mutex_lock(&lib->lock);
	while (lib->nr_at_work == CACHE_PAGES)
		pthread_cond_wait(&lib->returned, &lib->lock);
	if (lib->nr_idle > 0)
		ctx = lib->idle[--lib->nr_idle];
	else
		ctx = kdump_clone(lib->ctx, 0);
	if (ctx)
		lib->nr_at_work++;
	pthread_mutex_unlock(&lib->lock);
	return ctx;
}

static void put_ctx(struct kvfs_kdump_lib *lib, kdump_ctx_t *ctx)
{
	pthread_mutex_lock(&lib->lock);
	lib->nr_at_work--;
	pthread_cond_signal(&lib->returned);
	if (lib->nr_idle < MAX_IDLE) {
		lib->idle[lib->nr_idle++] = ctx;
		ctx = NULL;
	}
	pthread_mutex_unlock(&lib->lock);
	if (ctx)
		kdump_free(ctx);
}

/*
 * libkdumpfile (0.5.1 at least) reports zlib's Z_MEM_ERROR as KDUMP_ERR_CORRUPT. Only its text tells: it
 * has zlib's number, -4, since zlib has no message of its own for this.
 */
static bool is_out_of_memory(kdump_ctx_t *ctx)
{
	const char *text = kdump_get_err(ctx);

	return text && (strstr(text, "error -4") || strstr(text, "insufficient memory"));
}

/* What a status of kdump_read() means, by result.h; saved is errno after it. */
static int to_result(kdump_ctx_t *ctx, kdump_status status, int saved)
{
	switch (status) {
	case KDUMP_OK:
		return 0;
	case KDUMP_ERR_CORRUPT:
		return is_out_of_memory(ctx) ? -ENOMEM : -EBADMSG;
	case KDUMP_ERR_NODATA:
	case KDUMP_ERR_EOF:
	case KDUMP_ERR_INVALID:
		return -EBADMSG;
	case KDUMP_ERR_NOTIMPL:
		return -EOPNOTSUPP;
	case KDUMP_ERR_SYSTEM:
		return saved && saved != EBADMSG ? -saved : -EIO;
	default:
		return -EIO;
	}
}

int kvfs_kdump_lib_read(struct kvfs_kdump_lib *lib, void *buf, size_t len, uint64_t paddr, size_t *done)
{
	kdump_ctx_t *ctx = get_ctx(lib);
	int ret;

	*done = 0;
	if (!ctx)
		return -ENOMEM;
	do {
		size_t n = len - *done;
		kdump_status status;

		errno = 0;
		/* Machine addresses are those of the format, so that nothing is translated. */
		status = kdump_read(ctx, KDUMP_MACHPHYSADDR, paddr + *done, (char *)buf + *done, &n);
		ret = to_result(ctx, status, errno);
		*done += n / lib->page_size * lib->page_size;
	} while (ret == -EINTR);
	put_ctx(lib, ctx);
	return ret;
}
