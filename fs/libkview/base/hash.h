/* SPDX-License-Identifier: GPL-2.0-only */
/* Hash for tables whose number of buckets is a power of two. */
#ifndef KVFS_BASE_HASH_H
#define KVFS_BASE_HASH_H

#include <stdint.h>

/*
 * Spreads keys over 32 bits; the lowest of them serve as the number of a bucket. The upper half of
 * a product with an odd constant depends on the lower half of the key, into which the upper one is
 * folded first. The constant is 2^64 divided by the golden ratio (Knuth, multiplicative hashing).
 */
static inline uint32_t kvfs_hash_u64(uint64_t key)
{
	key ^= key >> 32;
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

#endif /* KVFS_BASE_HASH_H */
