/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic that reports overflow, for numbers that come from a file or from the kernel.
 * Each function returns false and leaves *out alone if the result does not fit.
 */
#ifndef KVFS_BASE_CHECKED_H
#define KVFS_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *out = a + b. */
static inline bool kvfs_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*out = sum;
	return true;
}

/* *out = a * b. */
static inline bool kvfs_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*out = product;
	return true;
}

/* *out = v rounded up to a multiple of align, a power of two. */
static inline bool kvfs_align_up_u64(uint64_t v, uint64_t align, uint64_t *out)
{
	uint64_t sum;

	if (!kvfs_add_u64(v, align - 1, &sum))
		return false;
	*out = sum & ~(align - 1);
	return true;
}

/* Tells whether [start, start + len) lies in [0, 2^63): whether a file offset (loff_t) can name its end. */
static inline bool kvfs_fits_loff(uint64_t start, uint64_t len)
{
	uint64_t end;

	return kvfs_add_u64(start, len, &end) && end <= INT64_MAX;
}

#endif /* KVFS_BASE_CHECKED_H */
