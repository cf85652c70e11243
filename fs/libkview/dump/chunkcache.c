// SPDX-License-Identifier: GPL-2.0-only
/*
 * A chunk is absent, being filled, or ready. It is in a hash table while it is being filled, and while
 * it is ready and all of it is available. The thread that finds it absent fills it, outside the lock;
 * others wait. A ready chunk without users is in a list, least recently used first; the first one is
 * reused when all memory is in use.
 *
 * A read of a chunk whose predecessor is in the cache counts as one of a reader in order: the next
 * chunks are queued. Workers, which are tasks of a pool, run until the queue is empty.
 * Many chunks are queued at a time, and then none for a while, because to wake a thread costs as
 * much as a good part of a chunk.
 */
#include "dump/chunkcache.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"

/* Chunks to be filled ahead of a reader in order, and how many are left when more are queued. */
#define AHEAD 16
#define AHEAD_LOW 8
/* Room for those ahead of two readers. */
#define MIN_CHUNKS (2 * AHEAD)
#define MAX_WORKERS 16
/* Chunks that are queued and not begun; a full queue drops the oldest. */
#define QUEUE_LEN 64

struct chunk {
	uint64_t nr;
	bool ready;
	struct kvfs_dump_result result;	/* of its blocks; valid if ready */
	unsigned int users;		/* threads that fill it, wait for it or copy from it */
	struct chunk *hash_next;
	struct kvfs_list link;		/* in the list of idle chunks, if ready and without users */
	unsigned char *buf;		/* KVFS_CHUNK_LEN bytes */
};

struct worker {
	struct kvfs_task task;
	struct kvfs_chunkcache *cache;
	bool running;
};

struct kvfs_chunkcache {
	struct kvfs_pool *pool;
	kvfs_chunkcache_fill_fn fill;
	void *arg;
	uint64_t nr_chunks;		/* that exist */
	size_t max_chunks;		/* that are kept */

	pthread_mutex_t lock;		/* all below, and the chunks except their bytes */
	pthread_cond_t filled;		/* a chunk has become ready */
	pthread_cond_t ended;		/* a worker has ended */
	bool stopping;
	size_t nr_kept;
	size_t nr_buckets;
	struct chunk **buckets;
	struct kvfs_list idle;		/* chunks, the least recently used first */
	uint64_t queue[QUEUE_LEN];	/* chunk numbers */
	size_t queue_first, queue_used;
	unsigned int max_workers, nr_workers;
	struct worker workers[MAX_WORKERS];
};

struct kvfs_chunkcache *kvfs_chunkcache_create(struct kvfs_pool *pool, unsigned int workers, size_t max_len,
					       uint64_t nr_chunks, kvfs_chunkcache_fill_fn fill, void *arg)
{
	struct kvfs_chunkcache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->pool = pool;
	c->fill = fill;
	c->arg = arg;
	c->nr_chunks = nr_chunks;
	c->max_chunks = max_len / KVFS_CHUNK_LEN;
	if (c->max_chunks < MIN_CHUNKS)
		c->max_chunks = MIN_CHUNKS;
	c->nr_buckets = 1;
	while (c->nr_buckets < c->max_chunks)
		c->nr_buckets *= 2;
	c->buckets = calloc(c->nr_buckets, sizeof(*c->buckets));
	if (!c->buckets) {
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->filled, NULL);
	pthread_cond_init(&c->ended, NULL);
	kvfs_list_init(&c->idle);
	if (pool)
		c->max_workers = workers < MAX_WORKERS ? workers : MAX_WORKERS;
	return c;
}

static void free_chunk(struct chunk *chunk)
{
	free(chunk->buf);
	free(chunk);
}

void kvfs_chunkcache_destroy(struct kvfs_chunkcache *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	while (c->nr_workers > 0)
		pthread_cond_wait(&c->ended, &c->lock);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < c->nr_buckets; i++) {
		struct chunk *chunk = c->buckets[i];

		while (chunk) {
			struct chunk *next = chunk->hash_next;

			free_chunk(chunk);
			chunk = next;
		}
	}
	free(c->buckets);
	pthread_cond_destroy(&c->ended);
	pthread_cond_destroy(&c->filled);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* The lock is held in all functions below, except where they say so. */

static struct chunk **bucket_of(const struct kvfs_chunkcache *c, uint64_t nr)
{
	return &c->buckets[nr & (c->nr_buckets - 1)];
}

static struct chunk *find(const struct kvfs_chunkcache *c, uint64_t nr)
{
	struct chunk *chunk = *bucket_of(c, nr);

	while (chunk && chunk->nr != nr)
		chunk = chunk->hash_next;
	return chunk;
}

static void unhash(struct kvfs_chunkcache *c, struct chunk *chunk)
{
	struct chunk **at = bucket_of(c, chunk->nr);

	while (*at != chunk)
		at = &(*at)->hash_next;
	*at = chunk->hash_next;
}

/* A chunk to be filled, with one user: an idle one, or a new one. NULL if out of memory. */
static struct chunk *take_chunk(struct kvfs_chunkcache *c, uint64_t nr)
{
	struct kvfs_list *idle = c->nr_kept >= c->max_chunks ? kvfs_list_pop(&c->idle) : NULL;
	struct chunk *chunk;

	if (idle) {
		chunk = kvfs_list_entry(idle, struct chunk, link);
		unhash(c, chunk);
	} else {
		chunk = calloc(1, sizeof(*chunk));
		if (!chunk)
			return NULL;
		chunk->buf = malloc(KVFS_CHUNK_LEN);
		if (!chunk->buf) {
			free(chunk);
			return NULL;
		}
		kvfs_list_init(&chunk->link);
		c->nr_kept++;
	}
	chunk->nr = nr;
	chunk->ready = false;
	chunk->users = 1;
	chunk->hash_next = *bucket_of(c, nr);
	*bucket_of(c, nr) = chunk;
	return chunk;
}

static void put_chunk(struct kvfs_chunkcache *c, struct chunk *chunk)
{
	bool hashed = !chunk->result.unavailable;

	assert(chunk->users > 0 && chunk->ready);
	if (--chunk->users > 0)
		return;
	if (!hashed || c->nr_kept > c->max_chunks) {
		c->nr_kept--;
		if (hashed)
			unhash(c, chunk);
		free_chunk(chunk);
		return;
	}
	kvfs_list_add_tail(&c->idle, &chunk->link);
}

/*
 * Fills a chunk that take_chunk() returned, without the lock. One that is not all available leaves
 * the hash table, so that the next read fills it again.
 */
static void fill_chunk(struct kvfs_chunkcache *c, struct chunk *chunk)
{
	struct kvfs_dump_result result = { 0 };

	pthread_mutex_unlock(&c->lock);
	c->fill(c->arg, chunk->nr, chunk->buf, &result);
	pthread_mutex_lock(&c->lock);
	chunk->result = result;
	chunk->ready = true;
	if (result.unavailable)
		unhash(c, chunk);
	pthread_cond_broadcast(&c->filled);
}

/* The chunk, ready, with one more user; NULL if out of memory. May drop the lock meanwhile. */
static struct chunk *get_chunk(struct kvfs_chunkcache *c, uint64_t nr)
{
	struct chunk *chunk = find(c, nr);

	if (!chunk) {
		chunk = take_chunk(c, nr);
		if (chunk)
			fill_chunk(c, chunk);
		return chunk;
	}
	kvfs_list_remove(&chunk->link);		/* it is idle, or in no list */
	chunk->users++;
	while (!chunk->ready)
		pthread_cond_wait(&c->filled, &c->lock);
	return chunk;
}

static bool is_queued(const struct kvfs_chunkcache *c, uint64_t nr)
{
	for (size_t i = 0; i < c->queue_used; i++)
		if (c->queue[(c->queue_first + i) % QUEUE_LEN] == nr)
			return true;
	return false;
}

/* Ready, being filled, or queued. */
static bool is_coming(const struct kvfs_chunkcache *c, uint64_t nr)
{
	return nr >= c->nr_chunks || find(c, nr) || is_queued(c, nr);
}

/* A task of the pool; takes the lock. Fills chunks until the queue is empty. */
static void work_ahead(struct kvfs_task *task)
{
	struct worker *worker = kvfs_list_entry(task, struct worker, task);
	struct kvfs_chunkcache *c = worker->cache;

	pthread_mutex_lock(&c->lock);
	while (c->queue_used > 0 && !c->stopping) {
		uint64_t nr = c->queue[c->queue_first];
		struct chunk *chunk;

		c->queue_first = (c->queue_first + 1) % QUEUE_LEN;
		c->queue_used--;
		if (find(c, nr))
			continue;
		chunk = take_chunk(c, nr);
		if (!chunk)
			continue;
		fill_chunk(c, chunk);
		put_chunk(c, chunk);
	}
	worker->running = false;
	c->nr_workers--;
	pthread_cond_signal(&c->ended);
	pthread_mutex_unlock(&c->lock);
}

/* Starts workers for the queue. If none can be started, readers fill the chunks. */
static void start_workers(struct kvfs_chunkcache *c)
{
	for (unsigned int i = 0; i < c->max_workers && c->nr_workers < c->queue_used; i++) {
		struct worker *worker = &c->workers[i];

		if (worker->running)
			continue;
		worker->task.run = work_ahead;
		worker->cache = c;
		if (kvfs_pool_start(c->pool, &worker->task) < 0)
			return;
		worker->running = true;
		c->nr_workers++;
	}
}

/* Queues those of [first, end) that are neither ready nor being filled. */
static void queue_chunks(struct kvfs_chunkcache *c, uint64_t first, uint64_t end)
{
	for (uint64_t nr = first; nr < end && c->max_workers; nr++) {
		if (is_coming(c, nr))
			continue;
		if (c->queue_used == QUEUE_LEN) {
			c->queue_first = (c->queue_first + 1) % QUEUE_LEN;
			c->queue_used--;
		}
		c->queue[(c->queue_first + c->queue_used++) % QUEUE_LEN] = nr;
	}
	start_workers(c);
}

/* Copies [from, to) of a chunk, without the lock. Returns 0 or -errno. */
static int copy_out(const struct chunk *chunk, size_t from, size_t to, unsigned char *buf)
{
	uint64_t wanted = 0;

	for (size_t i = from / KVFS_CHUNK_BLOCK_LEN; i * KVFS_CHUNK_BLOCK_LEN < to; i++)
		wanted |= 1ULL << i;
	if (chunk->result.unavailable & wanted)
		return chunk->result.error;
	if (chunk->result.damaged & wanted)
		return -EIO;
	memcpy(buf, chunk->buf + from, to - from);
	return 0;
}

int kvfs_chunkcache_read(struct kvfs_chunkcache *c, void *buf, size_t len, uint64_t off)
{
	uint64_t first = off / KVFS_CHUNK_LEN;
	uint64_t end = (off + len + KVFS_CHUNK_LEN - 1) / KVFS_CHUNK_LEN;
	unsigned char *at = buf;
	bool in_order;
	int ret = 0;

	if (len == 0)
		return 0;
	pthread_mutex_lock(&c->lock);
	in_order = first > 0 && find(c, first - 1);
	queue_chunks(c, first + 1, in_order && !is_coming(c, end + AHEAD_LOW) ? end + AHEAD : end);
	for (uint64_t nr = first; nr < end && ret == 0; nr++) {
		size_t from = nr == first ? off % KVFS_CHUNK_LEN : 0;
		size_t to = nr == end - 1 ? (size_t)(off + len - nr * KVFS_CHUNK_LEN) : KVFS_CHUNK_LEN;
		struct chunk *chunk = get_chunk(c, nr);

		if (!chunk) {
			ret = -ENOMEM;
			break;
		}
		pthread_mutex_unlock(&c->lock);
		ret = copy_out(chunk, from, to, at);
		pthread_mutex_lock(&c->lock);
		put_chunk(c, chunk);
		at += to - from;
	}
	pthread_mutex_unlock(&c->lock);
	return ret;
}
