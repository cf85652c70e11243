// SPDX-License-Identifier: GPL-2.0-only
#include "dump/pfnmap.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "base/io.h"

#define WORD_BITS 64
#define BLOCK_WORDS (KVFS_PFNMAP_BLOCK / WORD_BITS)

static uint64_t count_words(const struct kvfs_pfnmap *map)
{
	return (map->nr_pfns + WORD_BITS - 1) / WORD_BITS;
}

/* Converts the words to this machine's byte order, clears the bits past the end, fills in ranks. */
static void index_words(struct kvfs_pfnmap *map)
{
	uint64_t nr_words = count_words(map);
	uint64_t sum = 0;

	if (map->nr_pfns % WORD_BITS)
		map->words[nr_words - 1] &= htole64((1ULL << map->nr_pfns % WORD_BITS) - 1);
	for (uint64_t i = 0; i < nr_words; i++) {
		if (i % BLOCK_WORDS == 0)
			map->ranks[i / BLOCK_WORDS] = sum;
		map->words[i] = le64toh(map->words[i]);
		sum += (uint64_t)__builtin_popcountll(map->words[i]);
	}
	map->ranks[(nr_words + BLOCK_WORDS - 1) / BLOCK_WORDS] = sum;
}

int kvfs_pfnmap_load(int fd, uint64_t off, uint64_t nr_pfns, struct kvfs_pfnmap *out)
{
	struct kvfs_pfnmap map = { .nr_pfns = nr_pfns };
	uint64_t nr_words, nr_blocks;
	int ret;

	if (nr_pfns > KVFS_PFNMAP_MAX_LEN * 8)
		return -EFBIG;
	nr_words = count_words(&map);
	nr_blocks = (nr_words + BLOCK_WORDS - 1) / BLOCK_WORDS;
	map.words = calloc(nr_words + 1, sizeof(*map.words));
	map.ranks = calloc(nr_blocks + 1, sizeof(*map.ranks));
	ret = map.words && map.ranks ? 0 : -ENOMEM;
	if (ret == 0)
		ret = kvfs_io_pread_exact(fd, map.words, (nr_pfns + 7) / 8, off);
	if (ret < 0) {
		kvfs_pfnmap_deinit(&map);
		return ret;
	}
	index_words(&map);
	*out = map;
	return 0;
}

void kvfs_pfnmap_deinit(struct kvfs_pfnmap *map)
{
	if (!map)
		return;
	free(map->words);
	free(map->ranks);
	*map = (struct kvfs_pfnmap) { 0 };
}

bool kvfs_pfnmap_test(const struct kvfs_pfnmap *map, uint64_t pfn)
{
	return pfn < map->nr_pfns && (map->words[pfn / WORD_BITS] >> pfn % WORD_BITS & 1);
}

/* The first bit of [pfn, end) that is 1 after its word is XORed with flip. */
static uint64_t next(const struct kvfs_pfnmap *map, uint64_t pfn, uint64_t end, uint64_t flip)
{
	uint64_t stop = end < map->nr_pfns ? end : map->nr_pfns;
	uint64_t keep = ~0ULL << pfn % WORD_BITS;

	for (uint64_t i = pfn / WORD_BITS; i * WORD_BITS < stop; i++) {
		uint64_t word = (map->words[i] ^ flip) & keep;

		if (word) {
			pfn = i * WORD_BITS + (uint64_t)__builtin_ctzll(word);
			return pfn < stop ? pfn : end;
		}
		keep = ~0ULL;
	}
	return end;
}

uint64_t kvfs_pfnmap_next_set(const struct kvfs_pfnmap *map, uint64_t pfn, uint64_t end)
{
	return next(map, pfn, end, 0);
}

uint64_t kvfs_pfnmap_next_clear(const struct kvfs_pfnmap *map, uint64_t pfn, uint64_t end)
{
	return next(map, pfn, end, ~0ULL);
}

uint64_t kvfs_pfnmap_rank(const struct kvfs_pfnmap *map, uint64_t pfn)
{
	uint64_t word, sum;

	if (pfn > map->nr_pfns)
		pfn = map->nr_pfns;
	word = pfn / WORD_BITS;
	sum = map->ranks[word / BLOCK_WORDS];
	for (uint64_t i = word / BLOCK_WORDS * BLOCK_WORDS; i < word; i++)
		sum += (uint64_t)__builtin_popcountll(map->words[i]);
	if (pfn % WORD_BITS)
		sum += (uint64_t)__builtin_popcountll(map->words[word] & ((1ULL << pfn % WORD_BITS) - 1));
	return sum;
}
