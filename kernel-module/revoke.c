// SPDX-License-Identifier: GPL-2.0-only
#include "revoke.h"

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "compat.h"
#include "kview.h"
#include "page.h"
#include "table.h"
#include "trace.h"
#include "view.h"

static struct kthread_worker *worker;

/*
 * The views. The thread marks the one that it works on as busy and drops the lock;
 * kview_revoke_remove_view() waits for that.
 */
static LIST_HEAD(views);
static DEFINE_SPINLOCK(views_lock);
static DECLARE_WAIT_QUEUE_HEAD(views_wait);
static atomic_t nr_vmas;

/* Numbers events; the thread copies the number to done when it has handled them. */
static atomic64_t last_event;
static u64 done;
static DECLARE_WAIT_QUEUE_HEAD(done_wait);
static bool look_wanted;
/* Time of the event that the thread handles now, in nanoseconds; 0 if it handles none. */
static u64 handling_since;

static struct kview_revoke_stats stats;

/**
 * struct revoke_range - a range of frames to unmap, on the stack of the caller that waits for it
 * @list:  in ranges, under ranges_lock
 * @start: first frame
 * @end:   the one after the last
 * @done:  completed when it is unmapped
 */
struct revoke_range {
	struct list_head list;
	unsigned long start;
	unsigned long end;
	struct completion done;
};

static LIST_HEAD(ranges);
static DEFINE_SPINLOCK(ranges_lock);

static void kview_revoke_events(struct kthread_work *work);
static DEFINE_KTHREAD_WORK(events_work, kview_revoke_events);
static void kview_revoke_looks(struct kthread_work *work);
static DEFINE_KTHREAD_DELAYED_WORK(looks_work, kview_revoke_looks);

static void kview_revoke_irq(struct irq_work *work)
{
	kthread_queue_work(worker, &events_work);
}

static struct irq_work irq_work = IRQ_WORK_INIT_HARD(kview_revoke_irq);

/** kview_revoke_worker - the thread, for other work that must not run beside revocation */
struct kthread_worker *kview_revoke_worker(void)
{
	return worker;
}

/** kview_revoke_account - count time that the thread has run, since @begin_ns */
void kview_revoke_account(u64 begin_ns)
{
	WRITE_ONCE(stats.cpu_ns, stats.cpu_ns + ktime_get_ns() - begin_ns);
}

/** kview_revoke_get_stats - copy the counters */
void kview_revoke_get_stats(struct kview_revoke_stats *to)
{
	unsigned int i;

	for (i = 0; i < KVIEW_NR_CAUSES; i++)
		to->revoked[i] = READ_ONCE(stats.revoked[i]);
	to->worst_us = READ_ONCE(stats.worst_us);
	to->cpu_ns = READ_ONCE(stats.cpu_ns);
}

/* Counts blocks that have been unmapped, and how long after their event. In the thread. */
static void count(enum kview_cause cause, unsigned long block, u64 nr)
{
	/* The fast clock may step back, by little, between processors. */
	u64 now = ktime_get_mono_fast_ns();
	u64 ns = handling_since && handling_since < now ? now - handling_since : 0;

	WRITE_ONCE(stats.revoked[cause], stats.revoked[cause] + nr);
	if (div_u64(ns, NSEC_PER_USEC) > stats.worst_us)
		WRITE_ONCE(stats.worst_us, div_u64(ns, NSEC_PER_USEC));
	trace_kview_revoke(cause, block, nr, ns);
}

/**
 * kview_revoke_add_view - let a view be unmapped from now on
 * @view: with its mapping set
 */
void kview_revoke_add_view(struct kview_view *view)
{
	spin_lock(&views_lock);
	list_add_tail(&view->list, &views);
	spin_unlock(&views_lock);
}

/**
 * kview_revoke_remove_view - undo kview_revoke_add_view()
 * @view: no mapping of it is left
 *
 * Context: may sleep while the thread works on the view.
 */
void kview_revoke_remove_view(struct kview_view *view)
{
	spin_lock(&views_lock);
	wait_event_cmd(views_wait, !view->busy, spin_unlock(&views_lock), spin_lock(&views_lock));
	list_del(&view->list);
	spin_unlock(&views_lock);
}

/* Calls @fn for each view. In the thread. */
static void for_each_view(void (*fn)(struct kview_view *view, u64 start, u64 end), u64 start,
			  u64 end)
{
	struct kview_view *view;

	spin_lock(&views_lock);
	list_for_each_entry(view, &views, list) {
		view->busy = true;
		spin_unlock(&views_lock);
		if (mapping_mapped(view->mapping))
			fn(view, start, end);
		spin_lock(&views_lock);
		view->busy = false;
		wake_up_all(&views_wait);
	}
	spin_unlock(&views_lock);
}

/* Unmaps physical addresses [start, end) from a view. */
static void unmap_paddr(struct kview_view *view, u64 start, u64 end)
{
	const struct kview_table *table = view->table;
	unsigned int i;

	for (i = 0; i < table->nr; i++) {
		const struct kview_table_extent *extent = &table->extent[i];
		u64 low, last;

		if (extent->kind != KVIEW_EXTENT_RAM)
			continue;
		low = max(start, extent->paddr);
		last = min(end - 1, extent->paddr + (extent->len - 1));
		if (low <= last)
			unmap_mapping_pages(view->mapping,
					    (extent->off + (low - extent->paddr)) >> PAGE_SHIFT,
					    (last - low + 1) >> PAGE_SHIFT, false);
	}
}

static void unmap_image(struct kview_view *view, u64 start, u64 end)
{
	const struct kview_table *table = view->table;
	unsigned int i;

	for (i = 0; i < table->nr; i++)
		if (table->extent[i].kind == KVIEW_EXTENT_RAM && table->extent[i].vaddr)
			unmap_mapping_pages(view->mapping, table->extent[i].off >> PAGE_SHIFT,
					    table->extent[i].len >> PAGE_SHIFT, false);
}

static void unmap_all(struct kview_view *view, u64 start, u64 end)
{
	unmap_mapping_range(view->mapping, 0, 0, 0);
}

static void unmap_frames(unsigned long start, unsigned long end)
{
	for_each_view(unmap_paddr, PFN_PHYS(start), PFN_PHYS(end));
}

/**
 * kview_revoke_recheck - judge a block again, and unmap it if its verdict has changed
 * @block: any
 * @cause: what to count it for
 *
 * Context: in the thread.
 * Return: true if it was unmapped.
 */
bool kview_revoke_recheck(unsigned long block, enum kview_cause cause)
{
	static struct kview_verdict verdict;
	u64 sum = kview_block_sum(block);

	if (sum == KVIEW_SUM_NONE)
		return false;
	kview_page_judge_block(block, &verdict);
	trace_kview_judge(block, verdict.sum, cause);
	if (verdict.sum == sum || !kview_block_take_back(block))
		return false;
	unmap_frames(block << KVIEW_BLOCK_SHIFT, (block + 1) << KVIEW_BLOCK_SHIFT);
	count(cause, block, 1);
	return true;
}

/**
 * kview_revoke_images - unmap what is mapped of the kernel image, to be judged again
 *
 * The record of a block has no verdict on the mapping of the kernel image.
 *
 * Context: in the thread.
 */
void kview_revoke_images(void)
{
	for_each_view(unmap_image, 0, 0);
}

/**
 * kview_revoke_all - unmap every page of every view
 * @cause: what to count it for
 *
 * Context: in the thread.
 */
void kview_revoke_all(enum kview_cause cause)
{
	unsigned long block = 0, nr = 0;

	for (; kview_block_next_mapped(&block); block++)
		nr += kview_block_take_back(block);
	for_each_view(unmap_all, 0, 0);
	/* Without a mapping it is no revocation. */
	if (atomic_read(&nr_vmas))
		count(cause, 0, nr);
}

static void handle_ranges(void)
{
	unsigned long block, nr;
	struct revoke_range *range;

	spin_lock(&ranges_lock);
	while ((range = list_first_entry_or_null(&ranges, struct revoke_range, list))) {
		list_del(&range->list);
		spin_unlock(&ranges_lock);
		nr = 0;
		for (block = range->start >> KVIEW_BLOCK_SHIFT;
		     block << KVIEW_BLOCK_SHIFT < range->end; block++)
			nr += kview_block_take_back(block);
		/* Whole blocks, as their records are taken back. */
		unmap_frames(ALIGN_DOWN(range->start, KVIEW_BLOCK_PAGES),
			     ALIGN(range->end, KVIEW_BLOCK_PAGES));
		count(KVIEW_CAUSE_OFFLINE, range->start >> KVIEW_BLOCK_SHIFT, nr);
		complete(&range->done);
		spin_lock(&ranges_lock);
	}
	spin_unlock(&ranges_lock);
}

static void kview_revoke_events(struct kthread_work *work)
{
	u64 begin = ktime_get_ns(), event = atomic64_read(&last_event);
	unsigned long block = 0;
	enum kview_cause cause;

	for (; kview_block_next_event(&block, &cause, &handling_since); block++)
		kview_revoke_recheck(block, cause);
	handling_since = 0;
	handle_ranges();
	/* The last mapping is gone: forget which blocks were mapped. */
	if (!atomic_read(&nr_vmas) && kview_block_nr_mapped())
		kview_revoke_all(KVIEW_CAUSE_BACKSTOP);
	smp_store_release(&done, event);
	wake_up_all(&done_wait);
	if (xchg(&look_wanted, false))
		kthread_mod_delayed_work(worker, &looks_work, 1);
	kview_revoke_account(begin);
}

static void kview_revoke_looks(struct kthread_work *work)
{
	/* Until the next look, by the number of looks that are left. */
	static const unsigned int delays_ms[KVIEW_LOOKS] = { 0, 100, 10 };
	unsigned int left, most = 0;
	u64 begin = ktime_get_ns();
	unsigned long block = 0;
	enum kview_cause cause;

	for (; kview_block_next_look(&block, &cause, &left, &handling_since); block++) {
		kview_revoke_recheck(block, cause);
		most = max(most, left);
	}
	handling_since = 0;
	if (most)
		kthread_mod_delayed_work(worker, &looks_work, msecs_to_jiffies(delays_ms[most]));
	kview_revoke_account(begin);
}

/**
 * kview_revoke_wake - wake the thread after kview_block_event()
 * @look: judge the blocks again later, as the event came before its change
 *
 * Context: any but NMI.
 * Return: a number for kview_revoke_wait().
 */
u64 kview_revoke_wake(bool look)
{
	u64 event;

	if (look)
		WRITE_ONCE(look_wanted, true);
	event = atomic64_inc_return(&last_event);
	irq_work_queue(&irq_work);
	return event;
}

/**
 * kview_revoke_wait - wait until the thread has handled an event
 * @event:      from kview_revoke_wake()
 * @timeout_ms: longest time to wait
 *
 * Context: may sleep. A fatal signal ends the wait.
 */
void kview_revoke_wait(u64 event, unsigned int timeout_ms)
{
	wait_event_killable_timeout(done_wait, smp_load_acquire(&done) >= event,
				    msecs_to_jiffies(timeout_ms));
}

/**
 * kview_revoke_range - unmap the blocks of a range from every view
 * @start: first page frame number
 * @end:   the one after the last
 *
 * Context: may sleep; not in the thread.
 */
void kview_revoke_range(unsigned long start, unsigned long end)
{
	struct revoke_range range = { .start = start, .end = end };

	init_completion(&range.done);
	spin_lock(&ranges_lock);
	list_add_tail(&range.list, &ranges);
	spin_unlock(&ranges_lock);
	kthread_queue_work(worker, &events_work);
	wait_for_completion(&range.done);
}

/** kview_revoke_opened - count a VMA of a view whose pages the module inserts */
void kview_revoke_opened(void)
{
	atomic_inc(&nr_vmas);
}

/** kview_revoke_closed - undo kview_revoke_opened() */
void kview_revoke_closed(void)
{
	if (atomic_dec_and_test(&nr_vmas))
		kthread_queue_work(worker, &events_work);
}

/**
 * kview_revoke_init - start the thread
 *
 * Return: 0 or -errno.
 */
int kview_revoke_init(void)
{
	worker = kview_compat_run_worker("kview");
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	sched_set_fifo(worker->task);
	return 0;
}

/** kview_revoke_exit - stop the thread. No view is left, and no event comes any more. */
void kview_revoke_exit(void)
{
	irq_work_sync(&irq_work);
	/* It may queue the other one. */
	kthread_flush_worker(worker);
	kthread_cancel_delayed_work_sync(&looks_work);
	kthread_destroy_worker(worker);
}
