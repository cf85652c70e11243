// SPDX-License-Identifier: GPL-2.0-only
#include "extent.h"

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/overflow.h>

#include "arch.h"
#include "kview.h"

/* Tells whether [vaddr, vaddr + len) is inside the kernel image mapping and maps @paddr. */
static bool kview_extent_image_ok(u64 vaddr, u64 paddr, u64 len, u64 image_delta)
{
	return vaddr == paddr + image_delta && kview_arch_is_image(vaddr, len);
}

/**
 * kview_extent_check - check an extent of a request
 * @extent:      the extent, in kernel memory
 * @start:       end of the extent before it
 * @end:         size of the view
 * @image_delta: as in struct kview_info
 *
 * Return: 0, -EINVAL, -E2BIG or -EOPNOTSUPP, as kview.h says.
 */
int kview_extent_check(const struct kview_extent *extent, u64 start, u64 end,
		       u64 image_delta)
{
	u64 last;

	if (extent->kind != KVIEW_EXTENT_RAM && extent->kind != KVIEW_EXTENT_BLOB &&
	    extent->kind != KVIEW_EXTENT_FILE)
		return -EOPNOTSUPP;
	if (extent->fd && extent->kind != KVIEW_EXTENT_FILE)
		return -EINVAL;
	if (extent->reserved[0] || extent->reserved[1] || extent->reserved[2])
		return -EINVAL;
	if (!extent->len || extent->off < start || extent->off >= end ||
	    extent->len > end - extent->off)
		return -EINVAL;
	if (check_add_overflow(extent->src, extent->len - 1, &last))
		return -EINVAL;

	/* rw_verify_area() refuses a read whose end exceeds loff_t, even past the end of file. */
	if (extent->kind == KVIEW_EXTENT_FILE)
		return extent->vaddr || last >= S64_MAX ? -EINVAL : 0;
	if (extent->kind == KVIEW_EXTENT_BLOB) {
		if (extent->vaddr)
			return -EINVAL;
		return extent->len > KVIEW_MAX_BLOB_LEN ? -E2BIG : 0;
	}
	if (extent->vaddr &&
	    !kview_extent_image_ok(extent->vaddr, extent->src, extent->len, image_delta))
		return -EINVAL;
	return 0;
}

/**
 * kview_extent_mappable - tell whether an extent allows its view to be mapped
 * @extent: a well-formed extent
 * @start:  end of the extent before it
 *
 * Return: true if it consists of whole pages and shares none with the extent before.
 */
bool kview_extent_mappable(const struct kview_extent *extent, u64 start)
{
	if (!PAGE_ALIGNED(extent->off) || extent->off < ALIGN(start, PAGE_SIZE))
		return false;
	return extent->kind == KVIEW_EXTENT_BLOB ||
	       (PAGE_ALIGNED(extent->src) && PAGE_ALIGNED(extent->len));
}
