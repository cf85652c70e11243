// SPDX-License-Identifier: GPL-2.0-only
#include "table.h"

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "extent.h"
#include "kview.h"
#include "page.h"
#include "vmcore.h"
#include "window.h"

/**
 * kview_table_image_delta - kernel virtual minus physical address of the kernel image
 *
 * Return: the difference, modulo 2^64.
 */
u64 kview_table_image_delta(void)
{
	return __START_KERNEL_map - phys_base;
}

/* The caller's bytes in pages of our own, so that they can be mapped. */
static void *copy_blob(u64 src, u64 len)
{
	void *blob = alloc_pages_exact(len, GFP_KERNEL_ACCOUNT | __GFP_ZERO);

	if (!blob)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(blob, u64_to_user_ptr(src), len)) {
		free_pages_exact(blob, len);
		return ERR_PTR(-EFAULT);
	}
	return blob;
}

static int fill_segment(struct kview_segment *segment, const struct kview_extent *extent)
{
	segment->off = extent->off;
	segment->len = extent->len;
	segment->kind = extent->kind;
	if (extent->kind == KVIEW_EXTENT_RAM) {
		segment->paddr = extent->src;
		segment->vaddr = extent->vaddr;
		return 0;
	}
	if (extent->kind == KVIEW_EXTENT_FILE) {
		segment->src = extent->src;
		segment->file = kview_window_open(extent->fd);
		if (IS_ERR(segment->file))
			return PTR_ERR(segment->file);
		segment->is_vmcore = kview_vmcore_is(segment->file);
		return 0;
	}
	segment->blob = copy_blob(extent->src, extent->len);
	return PTR_ERR_OR_ZERO(segment->blob);
}

/* Whether RAM is refused, and how; asked once a view and only if it has any. */
static int check_refusals(void)
{
	u32 refusals = kview_page_refusals();

	if (refusals & KVIEW_REFUSAL_ENCRYPTED)
		return -EOPNOTSUPP;
	return refusals ? -EPERM : 0;
}

static int fill_table(struct kview_table *table, const struct kview_create *request)
{
	const struct kview_extent __user *from = u64_to_user_ptr(request->extents);
	struct kview_extent extent;
	u64 start = 0;
	u32 i;
	int ret;

	for (i = 0; i < request->nr_extents; i++) {
		if (copy_from_user(&extent, from + i, sizeof(extent)))
			return -EFAULT;
		ret = kview_extent_check(&extent, start, table->size,
					 kview_table_image_delta());
		if (ret)
			return ret;
		if (extent.kind == KVIEW_EXTENT_RAM && !table->has_ram) {
			ret = check_refusals();
			if (ret)
				return ret;
			table->has_ram = true;
		}
		if (extent.kind == KVIEW_EXTENT_FILE)
			table->has_file = true;
		if (!kview_extent_mappable(&extent, start))
			table->mappable = false;
		ret = fill_segment(&table->segment[table->nr], &extent);
		if (ret)
			return ret;
		table->nr++;
		start = extent.off + extent.len;
	}
	return 0;
}

/**
 * kview_table_create - check a request and make the table it asks for
 * @request: in kernel memory; its extents and blobs are still in the caller's
 *
 * Return: the table, for kview_table_destroy(), or an ERR_PTR() as kview.h says.
 */
struct kview_table *kview_table_create(const struct kview_create *request)
{
	struct kview_table *table;
	int ret;

	if (!request->size || request->size > KVIEW_MAX_SIZE)
		return ERR_PTR(-EINVAL);
	if (request->nr_extents > KVIEW_MAX_EXTENTS)
		return ERR_PTR(-E2BIG);

	table = kvzalloc(struct_size(table, segment, request->nr_extents),
			 GFP_KERNEL_ACCOUNT);
	if (!table)
		return ERR_PTR(-ENOMEM);
	table->size = request->size;
	table->mappable = true;
	ret = fill_table(table, request);
	if (ret) {
		kview_table_destroy(table);
		return ERR_PTR(ret);
	}
	return table;
}

/**
 * kview_table_destroy - free a table, its blobs, and what holds the files of its windows
 * @table: from kview_table_create(), or NULL
 */
void kview_table_destroy(struct kview_table *table)
{
	unsigned int i;

	if (!table)
		return;
	for (i = 0; i < table->nr; i++) {
		struct kview_segment *segment = &table->segment[i];

		if (segment->kind == KVIEW_EXTENT_BLOB)
			free_pages_exact(segment->blob, segment->len);
		else if (segment->kind == KVIEW_EXTENT_FILE)
			kview_window_close(segment->file);
	}
	kvfree(table);
}
