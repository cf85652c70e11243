/* SPDX-License-Identifier: GPL-2.0-only */
/* Immutable sets of page frame numbers. */
#ifndef KVIEW_PFNSET_H
#define KVIEW_PFNSET_H

#include <linux/limits.h>
#include <linux/types.h>

/**
 * struct kview_pfnset - a set of page frame numbers
 * @nr:    number of ranges
 * @range: half-open ranges in ascending order; no two touch
 */
struct kview_pfnset {
	unsigned int nr;
	struct kview_pfnrange {
		unsigned long start;
		unsigned long end;
	} range[];
};

/**
 * kview_pfnset_has - tell whether a page frame number is in a set
 * @set:  the set; NULL is the empty set
 * @pfn:  the number
 * @next: set to the first number after @pfn for which the answer differs; ULONG_MAX if there
 *        is none
 *
 * Inline because every short read calls it.
 *
 * Return: true if @pfn is in @set.
 */
static inline bool kview_pfnset_has(const struct kview_pfnset *set, unsigned long pfn,
				    unsigned long *next)
{
	unsigned int low = 0, high = set ? set->nr : 0;
	unsigned int nr = high;

	/* Find the first range that ends after pfn. */
	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (set->range[mid].end <= pfn)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == nr) {
		*next = ULONG_MAX;
		return false;
	}
	if (pfn < set->range[low].start) {
		*next = set->range[low].start;
		return false;
	}
	*next = set->range[low].end;
	return true;
}

struct kview_pfnset *kview_pfnset_add(const struct kview_pfnset *set,
				      unsigned long start, unsigned long end);
struct kview_pfnset *kview_pfnset_remove(const struct kview_pfnset *set,
					 unsigned long start, unsigned long end);

#endif /* KVIEW_PFNSET_H */
