/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets of page frame numbers: sorted, disjoint, immutable once made. */
#ifndef KVIEW_PFNSET_H
#define KVIEW_PFNSET_H

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

bool kview_pfnset_has(const struct kview_pfnset *set, unsigned long pfn,
		      unsigned long *next);
struct kview_pfnset *kview_pfnset_add(const struct kview_pfnset *set,
				      unsigned long start, unsigned long end);
struct kview_pfnset *kview_pfnset_remove(const struct kview_pfnset *set,
					 unsigned long start, unsigned long end);

#endif /* KVIEW_PFNSET_H */
