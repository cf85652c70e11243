// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a view.
 *
 * RAM is copied from the direct map to the reader's buffer in one step, in a judgement, with
 * page faults on the buffer disabled: memory offlining waits for judgements and must not
 * wait for a handler of user page faults. A copy stops early at a page of the buffer that is
 * not present, or at a page of RAM that is not in the direct map. The retries below handle
 * both, and each makes progress: the last one copies through a page of the module, with
 * page faults on the buffer enabled.
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

#include "kview.h"
#include "page.h"
#include "table.h"
#include "view.h"
#include "window.h"

/* Most bytes copied between two checks for signals and for the scheduler. */
#define STEP SZ_2M
/* Most bytes of the buffer to fault in at once, after a copy that stopped early. */
#define FAULT_IN SZ_64K

/**
 * struct ram - a range of RAM to read
 * @paddr: physical address of its first byte
 * @vaddr: 0, or that byte's address in the mapping of the kernel image
 * @len:   length in bytes, at least 1
 */
struct ram {
	u64 paddr;
	unsigned long vaddr;
	size_t len;
};

/* Shortens @ram to a range that has one verdict; returns true if it is visible. In a judgement. */
static inline bool judge(struct ram *ram, enum kview_page_use use)
{
	size_t offset = offset_in_page(ram->paddr);
	long nr;

	nr = kview_page_run(PHYS_PFN(ram->paddr), ram->vaddr & PAGE_MASK, use,
			    PFN_UP(offset + ram->len));
	ram->len = min_t(size_t, ram->len, (abs(nr) << PAGE_SHIFT) - offset);
	return nr > 0;
}

/* Address to read from. Image pages may be absent from the image mapping only. */
static const void *ram_address(const struct ram *ram)
{
	return ram->vaddr ? (void *)ram->vaddr : __va(ram->paddr);
}

/*
 * Tells whether _copy_mc_to_iter() survives a source page that is not mapped. To user space
 * it does. To kernel memory it is a plain memcpy() on CPUs without fast string moves.
 * Sanitizers would report reads of memory that the module does not own.
 */
static bool direct_copy_is_safe(const struct iov_iter *to)
{
	if (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KMSAN) || IS_ENABLED(CONFIG_KCSAN))
		return false;
	return user_backed_iter(to) || cpu_feature_enabled(X86_FEATURE_ERMS);
}

/* Copies to kernel memory. Returns 0 if all bytes were copied. */
static int kview_read_to_kernel(void *dst, const struct ram *ram)
{
	const void *src = ram_address(ram);

	if (!IS_ENABLED(CONFIG_KASAN) && !IS_ENABLED(CONFIG_KMSAN) &&
	    cpu_feature_enabled(X86_FEATURE_ERMS))
		return copy_mc_to_kernel(dst, src, ram->len) ? -EFAULT : 0;
	return copy_from_kernel_nofault(dst, src, ram->len);
}

/*
 * Judges the start of @ram, shortens @ram to the bytes that were judged, and copies them if
 * they are visible, without page faults. Sets *visible to the verdict. Returns bytes copied.
 */
static inline size_t kview_read_run(struct ram *ram, enum kview_page_use use, struct iov_iter *to,
		       bool *visible)
{
	size_t copied = 0;
	int judgement;

	judgement = kview_judge_begin();
	*visible = judge(ram, use);
	if (*visible && direct_copy_is_safe(to)) {
		pagefault_disable();
		copied = _copy_mc_to_iter(ram_address(ram), ram->len, to);
		pagefault_enable();
	}
	kview_judge_end(judgement);
	return copied;
}

/* As kview_read_ram(), for at most one page, through a page of the module. */
static ssize_t kview_read_ram_bounced(struct ram *ram, struct iov_iter *to)
{
	struct page *page = alloc_page(GFP_KERNEL);
	size_t copied;
	void *bounce;
	int judgement;

	if (!page)
		return -ENOMEM;
	bounce = page_address(page);
	ram->len = min(ram->len, PAGE_SIZE - offset_in_page(ram->paddr));

	judgement = kview_judge_begin();
	if (!judge(ram, KVIEW_PAGE_MAP) || kview_read_to_kernel(bounce, ram))
		memset(bounce, 0, ram->len);
	kview_judge_end(judgement);

	copied = copy_to_iter(bounce, ram->len, to);
	__free_page(page);
	return copied ?: -EFAULT;
}

/* Reads at least one byte from the start of @ram. Returns the number of bytes or -errno. */
static ssize_t kview_read_ram(struct ram *ram, struct iov_iter *to)
{
	bool visible;
	size_t copied, len;

	copied = kview_read_run(ram, KVIEW_PAGE_READ, to, &visible);
	if (copied)
		return copied;
	if (visible) {
		/* One of the sides is not present: fault in the buffer, and look at the direct map. */
		len = min_t(size_t, ram->len, FAULT_IN);
		if (fault_in_iov_iter_writeable(to, len) == len)
			return -EFAULT;
		copied = kview_read_run(ram, KVIEW_PAGE_MAP, to, &visible);
		if (copied)
			return copied;
	}
	if (!visible)
		return iov_iter_zero(ram->len, to) ?: -EFAULT;
	return kview_read_ram_bounced(ram, to);
}

/* Reads at least one byte from the start of any span. Returns as kview_read_ram(). */
static ssize_t kview_read_span(const struct kview_span *span, size_t len, struct iov_iter *to)
{
	const struct kview_table_extent *extent = span->extent;
	struct ram ram;

	len = min_t(u64, len, span->len);
	if (!extent)
		return iov_iter_zero(len, to) ?: -EFAULT;
	if (extent->kind == KVIEW_EXTENT_FILE)
		return kview_window_read(&extent->window, span->skip, len, to);
	if (extent->kind == KVIEW_EXTENT_BLOB)
		return copy_to_iter(extent->blob + span->skip, len, to) ?: -EFAULT;

	ram.paddr = extent->paddr + span->skip;
	ram.vaddr = extent->vaddr ? extent->vaddr + span->skip : 0;
	ram.len = len;
	return kview_read_ram(&ram, to);
}

/**
 * kview_read_iter - ->read_iter of a view
 * @iocb: file and position; the position is moved
 * @to:   any kind of iterator
 *
 * A fatal signal ends a long read early.
 *
 * Return: bytes read; 0 at or after the end; if no byte was read, -EFAULT, -ENOMEM, -EINTR,
 * -EIO or the error of a window's file.
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
		ret = kview_read_span(&span, min_t(size_t, left, STEP), to);
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
