/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds trace rings in memory for the tests of trace/ and kview-trace/, word by word as
 * kernel/trace/ring_buffer.c lays them out on a little-endian machine of 64 bits.
 */
#ifndef RING_BUILDER_H
#define RING_BUILDER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trace/ring.h"

struct test_ring {
	uint8_t *mem;
	struct kvfs_ring_meta *meta;
	size_t len;
};

static inline struct test_ring ring_create(uint32_t subbuf_size, uint32_t nr_subbufs)
{
	struct test_ring ring = { .len = (size_t)subbuf_size * (nr_subbufs + 1) };

	ring.mem = aligned_alloc(8, ring.len);
	memset(ring.mem, 0, ring.len);
	ring.meta = (struct kvfs_ring_meta *)ring.mem;
	*ring.meta = (struct kvfs_ring_meta) {
		.meta_page_size = subbuf_size,
		.meta_struct_len = sizeof(*ring.meta),
		.subbuf_size = subbuf_size,
		.nr_subbufs = nr_subbufs,
	};
	return ring;
}

static inline uint8_t *ring_subbuf(const struct test_ring *ring, uint32_t id)
{
	return ring->mem + (size_t)ring->meta->subbuf_size * (id + 1);
}

static inline void ring_put(uint8_t *subbuf, uint32_t pos, const void *data, uint32_t len)
{
	memcpy(subbuf + KVFS_RING_HDR_LEN + pos, data, len);
}

static inline uint64_t ring_commit(const uint8_t *subbuf)
{
	uint64_t commit;

	memcpy(&commit, subbuf + 8, sizeof(commit));
	return commit;
}

static inline void ring_set(uint8_t *subbuf, uint64_t ts, uint64_t commit)
{
	memcpy(subbuf, &ts, sizeof(ts));
	memcpy(subbuf + 8, &commit, sizeof(commit));
}

/* Appends words to the data and commits them. */
static inline void ring_words(uint8_t *subbuf, const uint32_t *words, unsigned int nr)
{
	uint64_t commit = ring_commit(subbuf);

	ring_put(subbuf, commit, words, nr * 4);
	commit += nr * 4;
	memcpy(subbuf + 8, &commit, sizeof(commit));
}

#define RING_WORDS(subbuf, ...) \
	ring_words(subbuf, (const uint32_t []) { __VA_ARGS__ }, \
		   sizeof((const uint32_t []) { __VA_ARGS__ }) / 4)

/* First word of a record: type_len in the low 5 bits, the time since the last one above. */
#define RING_EVENT(type_len, delta) ((uint32_t)(type_len) | (uint32_t)(delta) << 5)

/* Events of 8 bytes that fill a sub-buffer: a word of header, a word of data. */
#define RING_EVENTS_PER_SUBBUF(size) (((size) - KVFS_RING_HDR_LEN) / 8)

/* Sets a sub-buffer to nr events, one a time unit, whose word of data is their time. */
static inline void ring_put_events(uint8_t *subbuf, uint32_t first, unsigned int nr)
{
	ring_set(subbuf, first, 0);
	for (unsigned int i = 0; i < nr; i++)
		RING_WORDS(subbuf, RING_EVENT(1, i > 0), first + i);
}

#endif /* RING_BUILDER_H */
