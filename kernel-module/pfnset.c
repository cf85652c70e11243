// SPDX-License-Identifier: GPL-2.0-only
#include "pfnset.h"

#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>

/* A set with room for @nr ranges that holds none. */
static struct kview_pfnset *alloc_set(unsigned int nr)
{
	struct kview_pfnset *set;

	set = kmalloc(struct_size(set, range, nr), GFP_KERNEL);
	if (set)
		set->nr = 0;
	return set;
}

static void append(struct kview_pfnset *set, unsigned long start, unsigned long end)
{
	if (start >= end)
		return;
	set->range[set->nr].start = start;
	set->range[set->nr].end = end;
	set->nr++;
}

/**
 * kview_pfnset_add - make the union of a set and a range
 * @set:   the set; NULL stands for the empty one; not changed
 * @start: first number of the range
 * @end:   the number after its last
 *
 * Return: the union, which the caller frees with kfree(); NULL if memory is short.
 */
struct kview_pfnset *kview_pfnset_add(const struct kview_pfnset *set,
				      unsigned long start, unsigned long end)
{
	unsigned int i = 0, nr = set ? set->nr : 0;
	struct kview_pfnset *sum = alloc_set(nr + 1);

	if (!sum)
		return NULL;
	for (; i < nr && set->range[i].end < start; i++)
		append(sum, set->range[i].start, set->range[i].end);
	/* What overlaps or touches the range melts into it. */
	for (; i < nr && set->range[i].start <= end; i++) {
		start = min(start, set->range[i].start);
		end = max(end, set->range[i].end);
	}
	append(sum, start, end);
	for (; i < nr; i++)
		append(sum, set->range[i].start, set->range[i].end);
	return sum;
}

/**
 * kview_pfnset_remove - make a set without the numbers of a range
 * @set:   the set; NULL stands for the empty one; not changed
 * @start: first number of the range
 * @end:   the number after its last
 *
 * Return: the difference, which the caller frees with kfree(); NULL if memory is short.
 */
struct kview_pfnset *kview_pfnset_remove(const struct kview_pfnset *set,
					 unsigned long start, unsigned long end)
{
	unsigned int i, nr = set ? set->nr : 0;
	struct kview_pfnset *rest = alloc_set(nr + 1);

	if (!rest)
		return NULL;
	for (i = 0; i < nr; i++) {
		const struct kview_pfnrange *r = &set->range[i];

		if (r->end <= start || end <= r->start) {
			append(rest, r->start, r->end);
			continue;
		}
		append(rest, r->start, min(r->end, start));
		append(rest, max(r->start, end), r->end);
	}
	return rest;
}
