// SPDX-License-Identifier: GPL-2.0-only
/* Sets of page frame numbers against a plain array, for random ranges. */
#include "pfnset.h"

#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "tap.h"

#define NUMBERS 200
#define ROUNDS 4000

static bool want[NUMBERS + 1];

/* Numbers for which the set has another answer than the array, or a wrong distance. */
static unsigned int count_wrong(const struct kview_pfnset *set)
{
	unsigned long i, next, end;
	unsigned int wrong = 0;

	for (i = 0; i < NUMBERS; i++) {
		bool has = kview_pfnset_has(set, i, &next);

		for (end = i; end < NUMBERS && want[end] == want[i]; end++)
			;
		wrong += has != want[i];
		wrong += end < NUMBERS ? next != end : next < NUMBERS;
	}
	return wrong;
}

static bool is_canonical(const struct kview_pfnset *set)
{
	unsigned int i;

	for (i = 0; set && i < set->nr; i++)
		if (set->range[i].start >= set->range[i].end ||
		    (i && set->range[i].start <= set->range[i - 1].end))
			return false;
	return true;
}

int main(void)
{
	struct kview_pfnset *set = NULL, *next;
	unsigned int i, wrong = 0, crooked = 0;

	srandom(1);
	is_int(count_wrong(NULL), 0, "NULL is the empty set");
	for (i = 0; i < ROUNDS; i++) {
		unsigned long start = (unsigned long)random() % NUMBERS;
		unsigned long end = start + 1 + (unsigned long)random() % (i % 3 ? 8 : 60);
		bool add = random() % 2;

		if (end > NUMBERS)
			end = NUMBERS;
		next = add ? kview_pfnset_add(set, start, end) : kview_pfnset_remove(set, start, end);
		if (!next)
			bail("out of memory");
		memset(want + start, add, end - start);
		free(set);
		set = next;
		wrong += count_wrong(set);
		crooked += !is_canonical(set);
	}
	is_int(wrong, 0, "%d random unions and differences have the right numbers", ROUNDS);
	is_int(crooked, 0, "their ranges are in order and do not touch");
	free(set);
	return finish();
}
