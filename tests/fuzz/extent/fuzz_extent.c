// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>

#include "extent/extent.h"
#include "fuzz.h"

#define MAX_PIECES 5

static bool is_covered(const struct kvfs_extents *t, uint64_t off)
{
	size_t i = kvfs_extents_find(t, off);

	return i < t->n && t->v[i].off <= off;
}

static void check_seek(const struct kvfs_extents *t, uint64_t off)
{
	uint64_t data, hole;
	int no_data = kvfs_extents_seek(t, off, SEEK_DATA, &data);
	int no_hole = kvfs_extents_seek(t, off, SEEK_HOLE, &hole);

	if (off >= t->size) {
		fuzz_assert(no_data == -ENXIO && no_hole == -ENXIO);
		return;
	}
	fuzz_assert(!no_hole && hole >= off && hole <= t->size && !is_covered(t, hole));
	fuzz_assert((hole == off) == !is_covered(t, off));
	if (no_data) {
		fuzz_assert(no_data == -ENXIO && kvfs_extents_find(t, off) == t->n);
		return;
	}
	fuzz_assert(data >= off && data < t->size && is_covered(t, data));
	fuzz_assert((data == off) == is_covered(t, off));
}

static void check_cut(const struct kvfs_extents *t, uint64_t off, size_t len)
{
	struct kvfs_extent_piece p[MAX_PIECES];
	size_t covered, at = 0;
	size_t n = kvfs_extents_cut(t, off, len, p, MAX_PIECES, &covered);
	size_t want = off >= t->size ? 0 : t->size - off < len ? (size_t)(t->size - off) : len;

	fuzz_assert(n <= MAX_PIECES && covered <= want && (n == MAX_PIECES || covered == want));
	for (size_t i = 0; i < n; i++) {
		const struct kvfs_extent *e = p[i].extent;

		fuzz_assert(p[i].len && p[i].buf_off == at);
		fuzz_assert(is_covered(t, off + at) == (e != NULL));
		if (e)
			fuzz_assert(e->off + p[i].extent_off == off + at && p[i].extent_off < e->len &&
				    p[i].len <= e->len - p[i].extent_off);
		at += p[i].len;
	}
	fuzz_assert(at == covered);
}

/* The input is a list of numbers: extents, with small gaps or anywhere, then calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kvfs_extents t = { 0 };
	struct { uint64_t a, b; uint8_t op; } __attribute__((packed)) step;

	for (; size >= sizeof(step); data += sizeof(step), size -= sizeof(step)) {
		struct kvfs_extent e = { .kind = KVFS_EXTENT_FILE };
		uint64_t end = t.n ? t.v[t.n - 1].off + t.v[t.n - 1].len : 0;
		size_t n = t.n;
		int ret;

		memcpy(&step, data, sizeof(step));
		e.off = step.op & 1 ? step.a : end + step.a % 64;
		e.len = step.op & 2 ? step.b : step.b % 64;
		ret = kvfs_extents_add(&t, &e);
		fuzz_assert(ret == 0 || ret == -EINVAL || ret == -EOVERFLOW);
		fuzz_assert(t.n == n + !ret);
		check_seek(&t, step.a);
		check_seek(&t, e.off);
		check_seek(&t, t.size ? step.a % t.size : 0);
		check_cut(&t, step.b, (size_t)step.a);
		check_cut(&t, t.size ? step.b % t.size : 0, (size_t)(step.a % 256));
		fuzz_assert(kvfs_extents_data_len(&t) <= t.size);
	}
	kvfs_extents_deinit(&t);
	return 0;
}
