/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Growable arrays: a pointer to the elements, their number n and the capacity cap, kept as three
 * variables or members with those roles. NULL, 0 and 0 are an empty array; free() frees it.
 */
#ifndef KVFS_BASE_VECTOR_H
#define KVFS_BASE_VECTOR_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * Moves an array to where it has room for want elements of elem_len bytes, at least doubling
 * *cap. Doubling costs no memory that is not used: large blocks are moved by mapping them
 * elsewhere, and pages that were never written do not exist. Returns the array, or NULL with the
 * old array and *cap as they were: out of memory, or more bytes than an object can
 * have.
 */
static inline void *kvfs_vector_grow(void *v, size_t *cap, size_t want, size_t elem_len)
{
	size_t bigger = *cap ? *cap : 8, len;
	void *moved;

	while (bigger < want || bigger == *cap)
		if (__builtin_mul_overflow(bigger, (size_t)2, &bigger))
			return NULL;
	if (__builtin_mul_overflow(bigger, elem_len, &len) || len > PTRDIFF_MAX)
		return NULL;
	moved = realloc(v, len);
	if (moved)
		*cap = bigger;
	return moved;
}

/*
 * Makes room for want elements in all in the array v, an lvalue; cap is an lvalue of type size_t.
 * Evaluates to 0, or to -ENOMEM with v and cap as they were. To add one element:
 *
 *	ret = kvfs_vector_reserve(t->v, t->cap, t->n + 1);
 *	if (ret < 0)
 *		return ret;
 *	t->v[t->n++] = element;
 */
#define kvfs_vector_reserve(v, cap, want) \
	({ \
		size_t want_ = (want); \
		int ret_ = 0; \
		if (want_ > (cap)) { \
			void *moved_ = kvfs_vector_grow((v), &(cap), want_, sizeof(*(v))); \
			if (moved_) \
				(v) = moved_; \
			else \
				ret_ = -ENOMEM; \
		} \
		ret_; \
	})

#endif /* KVFS_BASE_VECTOR_H */
