/* SPDX-License-Identifier: GPL-2.0-only */
/* The extents of a view: what a caller may ask for, and what is at an offset. */
#ifndef KVIEW_EXTENT_H
#define KVIEW_EXTENT_H

#include <linux/types.h>

struct file;
struct kview_extent;

/**
 * struct kview_segment - one extent, as the module keeps it
 * @off:   offset of its first byte in the view
 * @len:   length in bytes, at least 1
 * @kind:  KVIEW_EXTENT_*
 * @paddr: RAM: physical address of the first byte
 * @vaddr: RAM: that byte's address in the mapping of the kernel image, or 0
 * @blob:  BLOB: the bytes, in pages of their own, contiguous, zero after @len
 * @file:  FILE: what the window looks at; a reference
 * @src:   FILE: offset of the first byte in @file
 * @is_vmcore: FILE: whether @file is /proc/vmcore
 */
struct kview_segment {
	u64 off;
	u64 len;
	u32 kind;
	union {
		struct {
			u64 paddr;
			unsigned long vaddr;
		};
		void *blob;
		struct {
			struct file *file;
			u64 src;
			bool is_vmcore;
		};
	};
};

/**
 * struct kview_table - all that a view shows; it does not change once made
 * @size:     of the view in bytes
 * @mappable: whether each page of the view has one source, which is a page too
 * @has_ram:  whether there is a RAM segment
 * @has_file: whether there is a FILE segment
 * @nr:       number of segments
 * @segment:  ascending, not overlapping
 */
struct kview_table {
	u64 size;
	bool mappable;
	bool has_ram;
	bool has_file;
	unsigned int nr;
	struct kview_segment segment[];
};

/**
 * struct kview_span - what is at an offset, and how far
 * @segment: where the bytes come from; NULL in a hole
 * @skip:    bytes of @segment before the offset
 * @len:     bytes from the offset to the end of the segment or hole, at least 1
 */
struct kview_span {
	const struct kview_segment *segment;
	u64 skip;
	u64 len;
};

int kview_extent_check(const struct kview_extent *extent, u64 start, u64 end,
		       u64 image_delta);
bool kview_extent_mappable(const struct kview_extent *extent, u64 start);

/**
 * kview_table_find - what is at an offset of a view
 * @table: the view's extents
 * @pos:   the offset, less than the size of the view
 * @span:  set to the answer
 *
 * Inline, like all that a short read goes through.
 */
static inline void kview_table_find(const struct kview_table *table, u64 pos,
				    struct kview_span *span)
{
	unsigned int low = 0, high = table->nr;
	const struct kview_segment *segment;

	/* Find the first segment that ends after pos. */
	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		segment = &table->segment[mid];
		if (segment->off + segment->len <= pos)
			low = mid + 1;
		else
			high = mid;
	}

	segment = &table->segment[low];
	if (low < table->nr && segment->off <= pos) {
		span->segment = segment;
		span->skip = pos - segment->off;
		span->len = segment->len - span->skip;
		return;
	}
	span->segment = NULL;
	span->skip = 0;
	span->len = (low < table->nr ? segment->off : table->size) - pos;
}

#endif /* KVIEW_EXTENT_H */
