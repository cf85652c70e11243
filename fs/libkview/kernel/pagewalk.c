// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/pagewalk.h"

#include <errno.h>

/* Limit on the holes that a search passes: forged tables can have any number of them. */
#define MAX_STEPS 65536

int kvfs_pagewalk(const struct kvfs_pagewalk *walk, uint64_t vaddr, uint64_t *paddr,
		  uint64_t *len)
{
	uint64_t span;
	int ret;

	if (!kvfs_pagewalk_is_canonical(vaddr, walk->levels))
		return -EFAULT;
	ret = kvfs_pagewalk_look_up(walk, vaddr, paddr, &span);
	if (ret == 0)
		*len = span - (vaddr & (span - 1));
	return ret;
}

int kvfs_pagewalk_first(const struct kvfs_pagewalk *walk, uint64_t from, uint64_t *vaddr,
			uint64_t *paddr)
{
	for (unsigned int step = 0; step < MAX_STEPS && kvfs_pagewalk_is_canonical(from, walk->levels); step++) {
		uint64_t span;

		if (kvfs_pagewalk_look_up(walk, from, paddr, &span) == 0) {
			*vaddr = from;
			return 0;
		}
		from = (from | (span - 1)) + 1;
		if (from == 0)
			break;
	}
	return -ENOENT;
}
