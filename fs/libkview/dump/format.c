// SPDX-License-Identifier: GPL-2.0-only
#include "dump/format.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void kvfs_dump_note_damaged(struct kvfs_dump *dump, uint64_t nr, uint64_t nr_pages)
{
	_Atomic(uint8_t) *map = atomic_load(&dump->damaged), *before = NULL;
	uint8_t bit = (uint8_t)(1U << nr % 8);

	if (!map) {
		map = calloc(nr_pages / 8 + 1, 1);
		if (map && !atomic_compare_exchange_strong(&dump->damaged, &before, map)) {
			free(map);
			map = before;
		}
	}
	if (!map || !(atomic_fetch_or(&map[nr / 8], bit) & bit))
		atomic_fetch_add(&dump->nr_damaged, 1);
}

int kvfs_dump_add_missing(char **missing, const char *fmt, ...)
{
	size_t before = *missing ? strlen(*missing) : 0;
	char msg[KVFS_ERR_MSG_MAX], *longer;
	struct kvfs_err one_line;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	kvfs_err_set(&one_line, ENODATA, "%s", msg);
	longer = realloc(*missing, before + strlen("; ") + strlen(one_line.msg) + 1);
	if (!longer)
		return -ENOMEM;
	sprintf(longer + before, "%s%s", before ? "; " : "", one_line.msg);
	*missing = longer;
	return 0;
}

/* The bytes of a segment, to be put into ram. */
struct range {
	uint64_t start, end;	/* physical addresses */
	uint64_t space_off;	/* of start */
	size_t nr;		/* of the segment: the lower one comes first */
};

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

/* Adds those parts of ranges, sorted by start, that no range before covers. */
static int add_ranges(struct kvfs_dump *dump, const struct range *v, size_t n)
{
	uint64_t covered = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t start = v[i].start > covered ? v[i].start : covered;
		struct kvfs_extent e = {
			.off = start,
			.kind = KVFS_EXTENT_FILE,
			.file_off = v[i].space_off + (start - v[i].start),
		};
		int ret;

		if (start >= v[i].end)
			continue;
		e.len = v[i].end - start;
		ret = kvfs_extents_add(&dump->ram, &e);
		if (ret < 0)
			return ret;
		covered = v[i].end;
	}
	return 0;
}

int kvfs_dump_make_ram(struct kvfs_dump *dump, bool paddr_is_space)
{
	_cleanup_free_ struct range *v = calloc(dump->nr_segs + 1, sizeof(*v));
	uint64_t size = 0;
	size_t n = 0;
	int ret;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < dump->nr_segs; i++) {
		const struct kvfs_segment *seg = &dump->segs[i];

		/* ram cannot be longer than a file can. */
		if (seg->paddr > INT64_MAX || seg->memsz > INT64_MAX - seg->paddr)
			continue;
		if (seg->paddr + seg->memsz > size)
			size = seg->paddr + seg->memsz;
		if (seg->len)
			v[n++] = (struct range) {
				.start = seg->paddr,
				.end = seg->paddr + seg->len,
				.space_off = paddr_is_space ? seg->paddr : seg->off,
				.nr = i,
			};
	}
	qsort(v, n, sizeof(*v), by_start);
	ret = add_ranges(dump, v, n);
	if (ret == 0)
		dump->ram.size = size;
	return ret;
}
