// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a view.
 *
 * RAM goes from the direct map to the reader in one copy, in a section of page.c, with
 * page faults on the reader's side disabled: memory offlining waits for sections and
 * must not wait for whoever serves the reader's page faults. A copy that stops early
 * may have met a hole in the reader's memory, or a page that is not in the direct map.
 * What follows takes care of either, and always gets on: the last resort is a page of
 * our own between the two, for which the reader's page faults are enabled.
 */
#include "read.h"

#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include <asm/cpufeature.h>

#include "extent.h"
#include "kview.h"
#include "page.h"
#include "view.h"
#include "window.h"

/* Most bytes copied between two looks at signals and the scheduler. */
#define STEP SZ_2M
/* Most bytes of the reader's memory to make present at once, for a copy that found them absent. */
#define FAULT_IN SZ_64K

/**
 * struct ram - a piece of a RAM segment that is to be read
 * @paddr: physical address of its first byte
 * @vaddr: 0, or that byte's address in the mapping of the kernel image
 * @len:   length in bytes, at least 1
 */
struct ram {
	u64 paddr;
	unsigned long vaddr;
	size_t len;
};

/* Shortens @ram to the bytes about which there is one verdict, and returns that. In a section. */
static inline bool judge(struct ram *ram, enum kview_page_use use)
{
	size_t offset = offset_in_page(ram->paddr);
	long nr;

	nr = kview_page_run(PHYS_PFN(ram->paddr), ram->vaddr & PAGE_MASK, use,
			    PFN_UP(offset + ram->len));
	ram->len = min_t(size_t, ram->len, (abs(nr) << PAGE_SHIFT) - offset);
	return nr > 0;
}

/* Where the kernel reads the bytes: the image's own mapping says more than the direct map. */
static const void *ram_address(const struct ram *ram)
{
	return ram->vaddr ? (void *)ram->vaddr : __va(ram->paddr);
}

/*
 * Whether _copy_mc_to_iter() stops at a source that is not there. To user space it
 * always does. To kernel memory it is a plain memcpy() on CPUs without fast string
 * moves. Sanitizers would report what is not ours to read.
 */
static bool direct_copy_is_safe(const struct iov_iter *to)
{
	if (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KMSAN) || IS_ENABLED(CONFIG_KCSAN))
		return false;
	return user_backed_iter(to) || cpu_feature_enabled(X86_FEATURE_ERMS);
}

/* The same for a copy inside the kernel. Returns 0 if all of it was copied. */
static int copy_from_ram(void *dst, const struct ram *ram)
{
	const void *src = ram_address(ram);

	if (!IS_ENABLED(CONFIG_KASAN) && !IS_ENABLED(CONFIG_KMSAN) &&
	    cpu_feature_enabled(X86_FEATURE_ERMS))
		return copy_mc_to_kernel(dst, src, ram->len) ? -EFAULT : 0;
	return copy_from_kernel_nofault(dst, src, ram->len);
}

/*
 * Copies, in a section and without page faults, what is visible at the start of @ram,
 * and shortens @ram to the bytes that were judged. *visible is the verdict.
 */
static inline size_t copy_run(struct ram *ram, enum kview_page_use use, struct iov_iter *to,
		       bool *visible)
{
	size_t copied = 0;
	int section;

	section = kview_page_lock();
	*visible = judge(ram, use);
	if (*visible && direct_copy_is_safe(to)) {
		pagefault_disable();
		copied = _copy_mc_to_iter(ram_address(ram), ram->len, to);
		pagefault_enable();
	}
	kview_page_unlock(section);
	return copied;
}

/* As read_ram(), for one page at most, by way of a page of our own. */
static ssize_t read_ram_bounced(struct ram *ram, struct iov_iter *to)
{
	struct page *page = alloc_page(GFP_KERNEL);
	size_t copied;
	void *bounce;
	int section;

	if (!page)
		return -ENOMEM;
	bounce = page_address(page);
	ram->len = min(ram->len, PAGE_SIZE - offset_in_page(ram->paddr));

	section = kview_page_lock();
	if (!judge(ram, KVIEW_PAGE_MAP) || copy_from_ram(bounce, ram))
		memset(bounce, 0, ram->len);
	kview_page_unlock(section);

	copied = copy_to_iter(bounce, ram->len, to);
	__free_page(page);
	return copied ?: -EFAULT;
}

/*
 * Reads from the start of @ram as much as is convenient, at least a byte.
 * Returns the number of bytes or -errno.
 */
static ssize_t read_ram(struct ram *ram, struct iov_iter *to)
{
	bool visible;
	size_t copied, len;

	copied = copy_run(ram, KVIEW_PAGE_READ, to, &visible);
	if (copied)
		return copied;
	if (visible) {
		/* Now that it matters, look whether the pages are there, and on the other side too. */
		len = min_t(size_t, ram->len, FAULT_IN);
		if (fault_in_iov_iter_writeable(to, len) == len)
			return -EFAULT;
		copied = copy_run(ram, KVIEW_PAGE_MAP, to, &visible);
		if (copied)
			return copied;
	}
	if (!visible)
		return iov_iter_zero(ram->len, to) ?: -EFAULT;
	return read_ram_bounced(ram, to);
}

/* The same for any span of a view. */
static ssize_t read_span(const struct kview_span *span, size_t len, struct iov_iter *to)
{
	const struct kview_segment *segment = span->segment;
	struct ram ram;

	len = min_t(u64, len, span->len);
	if (!segment)
		return iov_iter_zero(len, to) ?: -EFAULT;
	if (segment->kind == KVIEW_EXTENT_FILE)
		return kview_window_read(segment, span->skip, len, to);
	if (segment->kind == KVIEW_EXTENT_BLOB)
		return copy_to_iter(segment->blob + span->skip, len, to) ?: -EFAULT;

	ram.paddr = segment->paddr + span->skip;
	ram.vaddr = segment->vaddr ? segment->vaddr + span->skip : 0;
	ram.len = len;
	return read_ram(&ram, to);
}

/**
 * kview_read_iter - ->read_iter of a view
 * @iocb: file and position; the position is moved
 * @to:   any kind of iterator
 *
 * A fatal signal ends a long read early.
 *
 * Return: bytes read, 0 at or after the end, or -EFAULT, -ENOMEM, -EINTR or the error
 * of a window's file if there are none.
 */
ssize_t kview_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	const struct kview_table *table = kview_view_of(iocb->ki_filp)->table;
	u64 pos = iocb->ki_pos;
	struct kview_span span;
	ssize_t ret = 0;
	size_t left;

	if (pos >= table->size)
		return 0;
	left = min_t(u64, iov_iter_count(to), table->size - pos);
	while (left) {
		kview_table_find(table, pos, &span);
		ret = read_span(&span, min_t(size_t, left, STEP), to);
		if (ret < 0)
			break;
		pos += ret;
		left -= ret;
		if (!left)
			break;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}
	if (pos == iocb->ki_pos)
		return ret;
	ret = pos - iocb->ki_pos;
	iocb->ki_pos = pos;
	return ret;
}
