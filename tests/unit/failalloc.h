/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocations that fail when a test says so: those of the unit under test, which is linked
 * with --wrap for malloc, calloc, realloc, reallocarray, strdup and strndup.
 */
#ifndef FAILALLOC_H
#define FAILALLOC_H

#include <stdbool.h>

/* The n-th allocation from now on fails, from 0 on, once; -1: none. */
void failalloc_arm(int n);

/* Whether the armed failure has happened. Disarms. */
bool failalloc_happened(void);

/*
 * Runs a statement again and again, with each of its allocations failing once, until it
 * runs without a failure. ret is what the statement sets; each failure must be -ENOMEM.
 */
#define failalloc_try_all(ret, statement) \
	do { \
		for (int n_ = 0;; n_++) { \
			failalloc_arm(n_); \
			statement; \
			if (!failalloc_happened()) { \
				ck_assert_int_gt(n_, 0); \
				break; \
			} \
			ck_assert_int_eq(ret, -ENOMEM); \
		} \
	} while (0)

#endif /* FAILALLOC_H */
