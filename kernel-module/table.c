// SPDX-License-Identifier: GPL-2.0-only
#include "table.h"

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "arch.h"
#include "extent.h"
#include "kview.h"
#include "page.h"
#include "window.h"

/* Copies bytes of the caller to pages of the module, so that they can be mapped. */
static void *kview_table_copy_blob(u64 src, u64 len)
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

static int kview_table_take(struct kview_table_extent *extent, const struct kview_extent *from)
{
	extent->off = from->off;
	extent->len = from->len;
	extent->kind = from->kind;
	if (from->kind == KVIEW_EXTENT_RAM) {
		extent->paddr = from->src;
		extent->vaddr = from->vaddr;
		return 0;
	}
	if (from->kind == KVIEW_EXTENT_FILE)
		return kview_window_open(&extent->window, from->fd, from->src);
	extent->blob = kview_table_copy_blob(from->src, from->len);
	return PTR_ERR_OR_ZERO(extent->blob);
}

/* -errno if RAM cannot be shown. Checked once a view, and only if it has RAM. */
static int kview_table_check_refusals(void)
{
	u32 refusals = kview_page_refusals();

	if (refusals & KVIEW_REFUSAL_ENCRYPTED)
		return -EOPNOTSUPP;
	return refusals ? -EPERM : 0;
}

static int kview_table_fill(struct kview_table *table, const struct kview_create *request)
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
					 kview_arch_image_delta());
		if (ret)
			return ret;
		if (extent.kind == KVIEW_EXTENT_RAM && !table->has_ram) {
			ret = kview_table_check_refusals();
			if (ret)
				return ret;
			table->has_ram = true;
		}
		if (extent.kind == KVIEW_EXTENT_FILE)
			table->has_file = true;
		if (!kview_extent_mappable(&extent, start))
			table->mappable = false;
		ret = kview_table_take(&table->extent[table->nr], &extent);
		if (ret)
			return ret;
		table->nr++;
		start = extent.off + extent.len;
	}
	return 0;
}

/**
 * kview_table_create - check a request and make its table
 * @request: in kernel memory; its extents and blobs are still in the caller's memory
 *
 * Return: the table, which the caller frees with kview_table_destroy(), or an ERR_PTR()
 * as kview.h says.
 */
struct kview_table *kview_table_create(const struct kview_create *request)
{
	struct kview_table *table;
	int ret;

	if (!request->size || request->size > KVIEW_MAX_SIZE)
		return ERR_PTR(-EINVAL);
	if (request->nr_extents > KVIEW_MAX_EXTENTS)
		return ERR_PTR(-E2BIG);

	table = kvzalloc(struct_size(table, extent, request->nr_extents),
			 GFP_KERNEL_ACCOUNT);
	if (!table)
		return ERR_PTR(-ENOMEM);
	table->size = request->size;
	table->mappable = true;
	ret = kview_table_fill(table, request);
	if (ret) {
		kview_table_destroy(table);
		return ERR_PTR(ret);
	}
	return table;
}

/**
 * kview_table_destroy - free a table and its blobs, and close its windows
 * @table: from kview_table_create(), or NULL
 */
void kview_table_destroy(struct kview_table *table)
{
	unsigned int i;

	if (!table)
		return;
	for (i = 0; i < table->nr; i++) {
		struct kview_table_extent *extent = &table->extent[i];

		if (extent->kind == KVIEW_EXTENT_BLOB)
			free_pages_exact(extent->blob, extent->len);
		else if (extent->kind == KVIEW_EXTENT_FILE)
			kview_window_close(&extent->window);
	}
	kvfree(table);
}

/**
 * kview_table_window_at - find the window that a mapping lies in
 * @table: the table of the view
 * @pos:   offset of the mapping, less than the size of the view
 * @len:   its length in bytes, at least 1
 *
 * Return: NULL if the range touches no FILE extent, the extent if the range is inside it,
 * else ERR_PTR(-EINVAL), as one mapping cannot be of two files.
 */
const struct kview_table_extent *kview_table_window_at(const struct kview_table *table, u64 pos,
						       u64 len)
{
	struct kview_span span;
	u64 end = min(pos + len, table->size);

	kview_table_find(table, pos, &span);
	if (span.extent && span.extent->kind == KVIEW_EXTENT_FILE)
		return len <= span.len ? span.extent : ERR_PTR(-EINVAL);
	while (pos < end) {
		kview_table_find(table, pos, &span);
		if (span.extent && span.extent->kind == KVIEW_EXTENT_FILE)
			return ERR_PTR(-EINVAL);
		pos += span.len;
	}
	return NULL;
}
