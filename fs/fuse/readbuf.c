// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/readbuf.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/*
 * What is left of 10 MiB when the libraries (2 MiB) and the symbols (5 MiB) are taken off; two
 * keep the source busy while a reply is copied.
 */
#define NR_SHARED 2
/* Up to here malloc(3) serves from memory that it keeps; no page is mapped for it anew. */
#define SMALL_LEN (64 * 1024)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* all below */
static pthread_cond_t one_is_free = PTHREAD_COND_INITIALIZER;
static void *shared[NR_SHARED];		/* made when first needed, and kept */
static unsigned int free_mask = (1U << NR_SHARED) - 1;

struct kvfs_readbuf kvfs_readbuf_get(size_t len)
{
	struct kvfs_readbuf buf = { .index = -1 };

	assert(len <= KVFS_READBUF_MAX);
	if (len <= SMALL_LEN) {
		buf.mem = malloc(len ? len : 1);
		return buf;
	}
	pthread_mutex_lock(&lock);
	while (!free_mask)
		pthread_cond_wait(&one_is_free, &lock);
	/* The lowest ones are the likeliest to exist, and to be in the CPU's cache. */
	buf.index = __builtin_ctz(free_mask);
	if (!shared[buf.index])
		shared[buf.index] = malloc(KVFS_READBUF_MAX);
	buf.mem = shared[buf.index];
	if (buf.mem)
		free_mask &= ~(1U << buf.index);
	pthread_mutex_unlock(&lock);
	return buf;
}

void kvfs_readbuf_put(struct kvfs_readbuf buf)
{
	if (buf.index < 0) {
		free(buf.mem);
		return;
	}
	pthread_mutex_lock(&lock);
	free_mask |= 1U << buf.index;
	pthread_cond_signal(&one_is_free);
	pthread_mutex_unlock(&lock);
}

void kvfs_readbuf_deinit(void)
{
	pthread_mutex_lock(&lock);
	assert(free_mask == (1U << NR_SHARED) - 1);
	for (int i = 0; i < NR_SHARED; i++) {
		free(shared[i]);
		shared[i] = NULL;
	}
	pthread_mutex_unlock(&lock);
}
