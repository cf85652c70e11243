// SPDX-License-Identifier: GPL-2.0-only
#include "extent/extent.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/vector.h"

static uint64_t end_of(const struct kvfs_extent *e)
{
	return e->off + e->len;
}

void kvfs_extents_deinit(struct kvfs_extents *t)
{
	if (!t)
		return;
	free(t->v);
	*t = (struct kvfs_extents){ 0 };
}

/* Tells whether the ends of the extent fit into their types. */
static bool ends_fit(const struct kvfs_extent *e)
{
	if (!kvfs_fits_loff(e->off, e->len))
		return false;
	if (e->kind == KVFS_EXTENT_BLOB)
		return e->len <= SIZE_MAX;
	if (e->file_off != KVFS_NO_FILE_OFF && !kvfs_fits_loff(e->file_off, e->len))
		return false;
	if (e->kind == KVFS_EXTENT_FILE)
		return true;
	/* The kernel image may end with the very last virtual address. */
	return kvfs_fits_loff(e->paddr, e->len) && e->len - 1 <= UINT64_MAX - e->vaddr;
}

int kvfs_extents_add(struct kvfs_extents *t, const struct kvfs_extent *e)
{
	int ret;

	if (e->len == 0)
		return -EINVAL;
	if (!ends_fit(e))
		return -EOVERFLOW;
	if (t->n && e->off < end_of(&t->v[t->n - 1]))
		return -EINVAL;
	ret = kvfs_vector_reserve(t->v, t->cap, t->n + 1);
	if (ret)
		return ret;
	t->v[t->n++] = *e;
	if (t->size < end_of(e))
		t->size = end_of(e);
	return 0;
}

size_t kvfs_extents_find(const struct kvfs_extents *t, uint64_t off)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (end_of(&t->v[mid]) <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint64_t kvfs_extents_data_len(const struct kvfs_extents *t)
{
	uint64_t sum = 0;

	/* Cannot wrap: extents do not overlap and end below 2^63. */
	for (size_t i = 0; i < t->n; i++)
		sum += t->v[i].len;
	return sum;
}

/* Returns the first offset from off on that no extent covers; i is find(off). */
static uint64_t next_hole(const struct kvfs_extents *t, size_t i, uint64_t off)
{
	for (; i < t->n && t->v[i].off <= off; i++)
		off = end_of(&t->v[i]);
	return off;
}

int kvfs_extents_seek(const struct kvfs_extents *t, uint64_t off, int whence, uint64_t *out)
{
	size_t i;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (off >= t->size)
		return -ENXIO;
	i = kvfs_extents_find(t, off);
	if (whence == SEEK_HOLE) {
		*out = next_hole(t, i, off);
		return 0;
	}
	if (i == t->n)
		return -ENXIO;
	*out = t->v[i].off > off ? t->v[i].off : off;
	return 0;
}

size_t kvfs_extents_cut(const struct kvfs_extents *t, uint64_t off, size_t len,
			struct kvfs_extent_piece *pieces, size_t max, size_t *covered)
{
	size_t done = 0, n = 0;
	size_t i;

	*covered = 0;
	if (off >= t->size)
		return 0;
	if (len > t->size - off)
		len = (size_t)(t->size - off);
	i = kvfs_extents_find(t, off);
	while (done < len && n < max) {
		const struct kvfs_extent *e = i < t->n ? &t->v[i] : NULL;
		struct kvfs_extent_piece *p = &pieces[n++];
		uint64_t pos = off + done;
		uint64_t stop = t->size;

		*p = (struct kvfs_extent_piece){ .buf_off = done };
		if (e && e->off <= pos) {
			p->extent = e;
			p->extent_off = pos - e->off;
			stop = end_of(e);
			i++;
		} else if (e) {
			stop = e->off;
		}
		p->len = stop - pos < len - done ? (size_t)(stop - pos) : len - done;
		done += p->len;
	}
	*covered = done;
	return n;
}
