// SPDX-License-Identifier: GPL-2.0-only
#include "base/hash.h"

#include "unit.h"

#define NR_KEYS 1024
#define NR_BUCKETS 1024

/* The most keys that share a bucket, of NR_KEYS keys that are stride apart. */
static unsigned int longest_chain(uint64_t stride)
{
	unsigned int nr[NR_BUCKETS] = { 0 }, longest = 0;

	for (uint64_t i = 0; i < NR_KEYS; i++) {
		unsigned int *n = &nr[kvfs_hash_u64(i * stride) & (NR_BUCKETS - 1)];

		(*n)++;
		if (*n > longest)
			longest = *n;
	}
	return longest;
}

START_TEST(spreads_keys_whatever_their_stride)
{
	for (unsigned int shift = 0; shift <= 48; shift++)
		ck_assert_uint_le(longest_chain(1ULL << shift), 16);
}
END_TEST

UNIT_MAIN("hash", spreads_keys_whatever_their_stride)
