/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables: what a view shows, and the search in it. Made from a KVIEW_IOC_CREATE request. */
#ifndef KVIEW_TABLE_H
#define KVIEW_TABLE_H

#include <linux/types.h>

#include "window.h"

struct kview_create;

/**
 * struct kview_table_extent - an extent, as the module keeps it
 * @off:    offset of its first byte in the view
 * @len:    length in bytes, at least 1
 * @kind:   KVIEW_EXTENT_*
 * @paddr:  RAM: physical address of the first byte
 * @vaddr:  RAM: address of that byte in the mapping of the kernel image, or 0
 * @blob:   BLOB: the bytes, in contiguous pages of their own, zero after @len; owned
 * @window: FILE: the window; owned
 */
struct kview_table_extent {
	u64 off;
	u64 len;
	u32 kind;
	union {
		struct {
			u64 paddr;
			unsigned long vaddr;
		};
		void *blob;
		struct kview_window window;
	};
};

/**
 * struct kview_table - what a view shows; immutable
 * @size:     of the view in bytes
 * @mappable: set if each page of the view has at most one extent, which has whole pages
 * @has_ram:  set if there is a RAM extent
 * @has_file: set if there is a FILE extent
 * @nr:       number of extents
 * @extent:   in ascending order of offset, not overlapping
 */
struct kview_table {
	u64 size;
	bool mappable;
	bool has_ram;
	bool has_file;
	unsigned int nr;
	struct kview_table_extent extent[];
};

/**
 * struct kview_span - what is at an offset of a view, and for how long
 * @extent: the extent; NULL in a hole
 * @skip:   bytes of @extent before the offset
 * @len:    bytes from the offset to the end of the extent or hole, at least 1
 */
struct kview_span {
	const struct kview_table_extent *extent;
	u64 skip;
	u64 len;
};

struct kview_table *kview_table_create(const struct kview_create *request);
void kview_table_destroy(struct kview_table *table);
const struct kview_table_extent *kview_table_window_at(const struct kview_table *table, u64 pos,
						       u64 len);

/**
 * kview_table_find - find what is at an offset of a view
 * @table: the table of the view
 * @pos:   the offset, less than the size of the view
 * @span:  set to the answer
 *
 * Inline because every short read calls it.
 */
static inline void kview_table_find(const struct kview_table *table, u64 pos,
				    struct kview_span *span)
{
	unsigned int low = 0, high = table->nr;
	const struct kview_table_extent *extent;

	/* Find the first extent that ends after pos. */
	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		extent = &table->extent[mid];
		if (extent->off + extent->len <= pos)
			low = mid + 1;
		else
			high = mid;
	}

	extent = &table->extent[low];
	if (low < table->nr && extent->off <= pos) {
		span->extent = extent;
		span->skip = pos - extent->off;
		span->len = extent->len - span->skip;
		return;
	}
	span->extent = NULL;
	span->skip = 0;
	span->len = (low < table->nr ? extent->off : table->size) - pos;
}

#endif /* KVIEW_TABLE_H */
