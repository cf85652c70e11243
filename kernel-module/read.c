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

#include "arch.h"
#include "kview.h"
#include "page.h"
#include "table.h"
#include "view.h"
#include "window.h"

/* Most bytes read between two checks for signals and for the scheduler. */
#define STEP SZ_2M
/* Most bytes copied in one judgement, which is not preempted. */
#define JUDGED SZ_64K

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

/*
 * Judges the start of @ram and shortens @ram to the bytes that have one verdict. @walk is as for
 * kview_page_judge_run(). Returns true if they are visible. In a judgement.
 */
static inline bool judge(struct ram *ram, bool walk)
{
	size_t offset = offset_in_page(ram->paddr);
	struct kview_page_run run;

	run = kview_page_judge_run(PHYS_PFN(ram->paddr), ram->vaddr & PAGE_MASK, walk,
				   PFN_UP(offset + ram->len));
	ram->len = min_t(size_t, ram->len, (run.nr << PAGE_SHIFT) - offset);
	return run.visible;
}

/* Address to read from. Image pages may be absent from the image mapping only. */
static const void *ram_address(const struct ram *ram)
{
	return ram->vaddr ? (void *)ram->vaddr : __va(ram->paddr);
}

/*
 * Judges the start of @ram, shortens @ram to the bytes that were judged, and copies them if
 * they are visible, without page faults. Sets *visible to the verdict. Returns bytes copied.
 */
static inline size_t kview_read_run(struct ram *ram, bool walk, struct iov_iter *to, bool *visible)
{
	size_t copied = 0;

	ram->len = min_t(size_t, ram->len, JUDGED);
	kview_judge_begin();
	*visible = judge(ram, walk);
	if (*visible && kview_arch_copy_survives(to)) {
		pagefault_disable();
		copied = _copy_mc_to_iter(ram_address(ram), ram->len, to);
		pagefault_enable();
	}
	kview_judge_end();
	return copied;
}

/* As kview_read_ram(), for at most one page, through a page of the module. */
static ssize_t kview_read_ram_bounced(struct ram *ram, struct iov_iter *to)
{
	struct page *page = alloc_page(GFP_KERNEL);
	size_t copied;
	void *bounce;

	if (!page)
		return -ENOMEM;
	bounce = page_address(page);
	ram->len = min(ram->len, PAGE_SIZE - offset_in_page(ram->paddr));

	kview_judge_begin();
	if (!judge(ram, true) || kview_arch_copy(bounce, ram_address(ram), ram->len))
		memset(bounce, 0, ram->len);
	kview_judge_end();

	copied = copy_to_iter(bounce, ram->len, to);
	__free_page(page);
	return copied ?: -EFAULT;
}

/* Reads at least one byte from the start of @ram. Returns the number of bytes or -errno. */
static ssize_t kview_read_ram(struct ram *ram, bool nowait, struct iov_iter *to)
{
	bool visible;
	size_t copied, len;

	copied = kview_read_run(ram, false, to, &visible);
	if (copied)
		return copied;
	if (nowait)
		return visible ? -EAGAIN : iov_iter_zero(ram->len, to) ?: -EFAULT;
	if (visible) {
		/* One of the sides is not present: fault in the buffer, and look at the direct map. */
		len = ram->len;
		if (fault_in_iov_iter_writeable(to, len) == len)
			return -EFAULT;
		copied = kview_read_run(ram, true, to, &visible);
		if (copied)
			return copied;
	}
	if (!visible)
		return iov_iter_zero(ram->len, to) ?: -EFAULT;
	return kview_read_ram_bounced(ram, to);
}

/* Reads at least one byte from the start of any span. Returns as kview_read_ram(). */
static ssize_t kview_read_span(const struct kview_span *span, size_t len, bool nowait,
			       struct iov_iter *to)
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
	return kview_read_ram(&ram, nowait, to);
}

/*
 * Reads an aligned word of visible RAM, which is what debuggers read most. Returns its size, or
 * 0 if it cannot be read so.
 */
static inline ssize_t kview_read_word(const struct kview_table *table, u64 pos, struct iov_iter *to)
{
	struct kview_span span;
	bool loaded;
	u64 word, paddr;

	if (!iter_is_ubuf(to) || iov_iter_count(to) != sizeof(word) ||
	    !kview_arch_read_faults() || !kview_arch_copy_survives(to))
		return 0;
	kview_table_find(table, pos, &span);
	if (!span.extent || span.extent->kind != KVIEW_EXTENT_RAM || span.extent->vaddr ||
	    span.len < sizeof(word))
		return 0;
	paddr = span.extent->paddr + span.skip;
	if (!IS_ALIGNED(paddr, sizeof(word)))
		return 0;

	kview_judge_begin();
	loaded = kview_page_judge_one(PHYS_PFN(paddr)) && kview_arch_load(&word, __va(paddr));
	kview_judge_end();
	if (!loaded || put_user(word, (u64 __user *)(to->ubuf + to->iov_offset)))
		return 0;
	/* As iov_iter_advance() does. */
	to->iov_offset += sizeof(word);
	to->count -= sizeof(word);
	return sizeof(word);
}

/* Reads what is no word. Not inline, so that a word does not pay for its registers. */
static noinline ssize_t kview_read_spans(const struct kview_table *table, struct kiocb *iocb,
					 struct iov_iter *to)
{
	u64 pos = iocb->ki_pos;
	bool nowait = iocb->ki_flags & IOCB_NOWAIT;
	struct kview_span span;
	ssize_t ret = 0;
	size_t left;

	/* A reader such as IMA that reads a page at a time can be killed, too. */
	if (fatal_signal_pending(current))
		return -EINTR;
	left = min_t(u64, iov_iter_count(to), table->size - pos);
	while (left) {
		kview_table_find(table, pos, &span);
		ret = kview_read_span(&span, min_t(size_t, left, STEP), nowait, to);
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

/**
 * kview_read_iter - ->read_iter of a view
 * @iocb: file and position; the position is moved
 * @to:   any kind of iterator
 *
 * A fatal signal ends a long read early.
 *
 * Return: bytes read; 0 at or after the end; if no byte was read, -EFAULT, -ENOMEM, -EINTR,
 * -EAGAIN for IOCB_NOWAIT, -EIO or the error of a window's file.
 */
ssize_t kview_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	const struct kview_table *table = kview_view_of(iocb->ki_filp)->table;
	ssize_t ret;

	if (iocb->ki_pos >= table->size)
		return 0;
	ret = kview_read_word(table, iocb->ki_pos, to);
	if (!ret)
		return kview_read_spans(table, iocb, to);
	iocb->ki_pos += ret;
	return ret;
}
