// SPDX-License-Identifier: GPL-2.0-only
#include "pfnset.h"

#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>

/* An empty set with room for @nr ranges. */
static struct kview_pfnset *kview_pfnset_alloc(unsigned int nr)
{
	struct kview_pfnset *set;

	set = kmalloc(struct_size(set, range, nr), GFP_KERNEL);
	if (set)
		set->nr = 0;
	return set;
}

static void kview_pfnset_append(struct kview_pfnset *set, unsigned long start, unsigned long end)
{
	if (start >= end)
		return;
	set->range[set->nr].start = start;
	set->range[set->nr].end = end;
	set->nr++;
}

/**
 * kview_pfnset_add - create the union of a set and a range
 * @set:   the set, which is not changed; NULL is the empty set
 * @start: first number of the range
 * @end:   the number after its last
 *
 * Return: the union; the caller frees it with kfree(). NULL: out of memory.
 */
struct kview_pfnset *kview_pfnset_add(const struct kview_pfnset *set,
				      unsigned long start, unsigned long end)
{
	unsigned int i = 0, nr = set ? set->nr : 0;
	struct kview_pfnset *sum = kview_pfnset_alloc(nr + 1);

	if (!sum)
		return NULL;
	for (; i < nr && set->range[i].end < start; i++)
		kview_pfnset_append(sum, set->range[i].start, set->range[i].end);
	/* Ranges that overlap or touch the new one become part of it. */
	for (; i < nr && set->range[i].start <= end; i++) {
		start = min(start, set->range[i].start);
		end = max(end, set->range[i].end);
	}
	kview_pfnset_append(sum, start, end);
	for (; i < nr; i++)
		kview_pfnset_append(sum, set->range[i].start, set->range[i].end);
	return sum;
}

/**
 * kview_pfnset_remove - create the difference of a set and a range
 * @set:   the set, which is not changed; NULL is the empty set
 * @start: first number of the range
 * @end:   the number after its last
 *
 * Return: the difference; the caller frees it with kfree(). NULL: out of memory.
 */
struct kview_pfnset *kview_pfnset_remove(const struct kview_pfnset *set,
					 unsigned long start, unsigned long end)
{
	unsigned int i, nr = set ? set->nr : 0;
	struct kview_pfnset *rest = kview_pfnset_alloc(nr + 1);

	if (!rest)
		return NULL;
	for (i = 0; i < nr; i++) {
		const struct kview_pfnrange *r = &set->range[i];

		if (r->end <= start || end <= r->start) {
			kview_pfnset_append(rest, r->start, r->end);
			continue;
		}
		kview_pfnset_append(rest, r->start, min(r->end, start));
		kview_pfnset_append(rest, max(r->start, end), r->end);
	}
	return rest;
}
