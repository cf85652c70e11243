// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/readbuf.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/list.h"

/*
 * What is left of 10 MiB when the libraries (2 MiB) and the symbols (5 MiB) are taken off; two
 * keep the source busy while a reply is copied.
 */
#define NR_SHARED 2
/* Up to here malloc(3) serves from memory that it keeps, and maps no page for each read. */
#define SMALL_LEN (64 * 1024)

struct large {
	struct kvfs_list link;
	int64_t since_ms;		/* when it was lent */
	_Alignas(16) unsigned char mem[KVFS_READBUF_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* all below */
static pthread_cond_t one_came_back = PTHREAD_COND_INITIALIZER;
static struct kvfs_list idle = KVFS_LIST_INIT(idle);	/* at most NR_SHARED */
static unsigned int nr_idle;
static struct kvfs_list lent = KVFS_LIST_INIT(lent);	/* the latest first */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* All below: with the lock held. */

/*
 * Whether fewer than NR_SHARED buffers are held by reads that are not slow. If not, *until_ms is
 * when the oldest of those that count becomes slow.
 */
static bool has_room(int64_t *until_ms)
{
	int64_t now = now_ms();
	unsigned int nr = 0;

	kvfs_list_for_each(link, &lent) {
		*until_ms = kvfs_list_entry(link, struct large, link)->since_ms + KVFS_READBUF_SLOW_MS;
		if (*until_ms <= now)
			return true;
		if (++nr == NR_SHARED)
			return false;
	}
	return true;
}

static void wait_for_room(void)
{
	int64_t until_ms;

	while (!has_room(&until_ms)) {
		const struct timespec until = {
			.tv_sec = until_ms / 1000,
			.tv_nsec = until_ms % 1000 * 1000000,
		};

		pthread_cond_clockwait(&one_came_back, &lock, CLOCK_MONOTONIC, &until);
	}
}

/* An idle buffer or a new one; NULL if out of memory. */
static struct large *lend(void)
{
	struct kvfs_list *link = kvfs_list_pop(&idle);
	struct large *large;

	if (link) {
		nr_idle--;
		large = kvfs_list_entry(link, struct large, link);
	} else {
		large = malloc(sizeof(*large));
		if (!large)
			return NULL;
	}
	large->since_ms = now_ms();
	kvfs_list_init(&large->link);
	kvfs_list_add(&lent, &large->link);
	return large;
}

struct kvfs_readbuf kvfs_readbuf_get(size_t len)
{
	struct kvfs_readbuf buf = { 0 };

	assert(len <= KVFS_READBUF_MAX);
	if (len <= SMALL_LEN) {
		buf.mem = malloc(len ? len : 1);
		return buf;
	}
	pthread_mutex_lock(&lock);
	wait_for_room();
	buf.large = lend();
	pthread_mutex_unlock(&lock);
	if (buf.large)
		buf.mem = buf.large->mem;
	return buf;
}

void kvfs_readbuf_put(struct kvfs_readbuf buf)
{
	if (!buf.large) {
		free(buf.mem);
		return;
	}
	pthread_mutex_lock(&lock);
	kvfs_list_remove(&buf.large->link);
	/* The one that was used last is the likeliest to be in the CPU's cache: it goes first. */
	if (nr_idle < NR_SHARED) {
		kvfs_list_add(&idle, &buf.large->link);
		nr_idle++;
		buf.large = NULL;
	}
	pthread_cond_signal(&one_came_back);
	pthread_mutex_unlock(&lock);
	free(buf.large);
}

void kvfs_readbuf_deinit(void)
{
	struct kvfs_list *link;

	pthread_mutex_lock(&lock);
	assert(kvfs_list_is_empty(&lent));
	while ((link = kvfs_list_pop(&idle)))
		free(kvfs_list_entry(link, struct large, link));
	nr_idle = 0;
	pthread_mutex_unlock(&lock);
}
