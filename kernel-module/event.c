// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks are of one ftrace_ops, or kprobes where ftrace cannot pass arguments.
 * FTRACE_OPS_FL_PERMANENT keeps kernel.ftrace_enabled=0 from silencing it, as for livepatch.
 * kprobes can be silenced through debugfs, so kview_event_check() tests that hooks are called.
 *
 * A handler runs on entry to the function. Where the function only announces the change, its
 * row says "before", and the thread judges the block at once and three times in 100 ms.
 */
#include "event.h"

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait.h>

#include "arch.h"
#include "block.h"
#include "compat.h"
#include "kview.h"
#include "page.h"
#include "revoke.h"

/* Longest wait of a process that has hidden a page, before it returns to user mode. */
#define WAIT_MS 200
/* Longer ranges of kernel addresses are no page that becomes a secret. */
#define FLUSH_MAX (2UL << 20)
#define MEMTYPE_MAX (4UL << 30)

/**
 * struct hook - a function of the kernel that announces a change
 * @symbol: its name
 * @cause:  the kind of change
 * @before: the change comes after the call
 * @hit:    handler; gets the first three arguments
 * @compat: how it is hooked
 * @class:  KVIEW_EVENT_* bit of the class that this hook covers by itself, or 0
 */
struct hook {
	const char *symbol;
	enum kview_cause cause;
	bool before;
	void (*hit)(const struct hook *hook, unsigned long a, unsigned long b, unsigned long c);
	u32 class;
	struct kview_compat_hook compat;
};

static atomic_t tests_seen;
/* KVIEW_EVENT_* bits of classes without a working hook. */
static u32 missing = KVIEW_EVENT_ALL;
static u32 registered;

/* Task works that are not finished; the module cannot go before. */
static atomic_t nr_waits;
static DECLARE_WAIT_QUEUE_HEAD(waits_done);

/**
 * struct wait - has a process wait for the thread before it returns to user mode
 * @work:  the task work
 * @event: what to wait for
 */
struct wait {
	struct callback_head work;
	u64 event;
};

static void kview_event_wait(struct callback_head *work)
{
	struct wait *wait = container_of(work, struct wait, work);

	kview_revoke_wait(wait->event, WAIT_MS);
	kfree(wait);
	if (atomic_dec_and_test(&nr_waits))
		wake_up_all(&waits_done);
}

/*
 * Makes the current process wait before it returns to user mode or enters a guest, so that it
 * cannot store a secret in a page that is still mapped. Without memory it does not wait.
 */
static void wait_in_task(u64 event)
{
	struct wait *wait;

	if (!in_task() || irqs_disabled() || current->flags & (PF_KTHREAD | PF_EXITING))
		return;
	wait = kmalloc(sizeof(*wait), GFP_ATOMIC | __GFP_NOWARN);
	if (!wait)
		return;
	init_task_work(&wait->work, kview_event_wait);
	wait->event = event;
	atomic_inc(&nr_waits);
	if (task_work_add(current, &wait->work, TWA_RESUME)) {
		atomic_dec(&nr_waits);
		kfree(wait);
	}
}

/* Handles an event on frames [start, end). */
static void touch_frames(const struct hook *hook, unsigned long start, unsigned long end)
{
	unsigned long block = start >> KVIEW_BLOCK_SHIFT;
	unsigned long last = (end - 1) >> KVIEW_BLOCK_SHIFT;
	bool mapped = false;

	for (; block <= last; block++)
		mapped |= kview_block_event(block, hook->cause, hook->before);
	if (mapped)
		wait_in_task(kview_revoke_wake(hook->before));
}

static void kview_hit_page(const struct hook *hook, unsigned long page, unsigned long b,
			   unsigned long c)
{
	unsigned long pfn = page_to_pfn((struct page *)page);

	touch_frames(hook, pfn, pfn + 1);
}

static void kview_hit_pages(const struct hook *hook, unsigned long page, unsigned long nr,
			    unsigned long valid)
{
	unsigned long pfn = page_to_pfn((struct page *)page);

	if (!(bool)valid && nr)
		touch_frames(hook, pfn, pfn + nr);
}

static void kview_hit_second_page(const struct hook *hook, unsigned long a, unsigned long page,
				  unsigned long c)
{
	kview_hit_page(hook, page, 0, 0);
}

static void kview_hit_list(const struct hook *hook, unsigned long a, unsigned long list,
			   unsigned long c)
{
	struct page *page;

	list_for_each_entry(page, (struct list_head *)list, lru)
		kview_hit_page(hook, (unsigned long)page, 0, 0);
}

/* A count of 0 is the test. */
static void kview_hit_managed(const struct hook *hook, unsigned long page, unsigned long count,
			      unsigned long c)
{
	unsigned long pfn = page_to_pfn((struct page *)page);
	long nr = count;

	if (!nr)
		atomic_inc(&tests_seen);
	else
		touch_frames(hook, pfn, pfn + abs(nr));
}

static void kview_hit_pfn(const struct hook *hook, unsigned long pfn, unsigned long b,
			  unsigned long c)
{
	touch_frames(hook, pfn, pfn + 1);
}

/* secretmem_fault() calls it for one page after it is out of the direct map. */
static void kview_hit_flush(const struct hook *hook, unsigned long start, unsigned long end,
			    unsigned long c)
{
	if (kview_arch_is_direct(start) && end > start && end - start <= FLUSH_MAX)
		touch_frames(hook, PFN_DOWN(__pa(start)), PFN_UP(__pa(end)));
}

static void kview_hit_np(const struct hook *hook, unsigned long addr, unsigned long nr,
			 unsigned long c)
{
	addr = kview_arch_undecoy(addr);
	if (kview_arch_is_direct(addr) && (int)nr > 0)
		touch_frames(hook, PFN_DOWN(__pa(addr)), PFN_DOWN(__pa(addr)) + (int)nr);
}

static void kview_hit_memtype(const struct hook *hook, unsigned long start, unsigned long end,
			      unsigned long c)
{
	/* Larger ranges are device memory. */
	if (end > start && end - start <= MEMTYPE_MAX)
		touch_frames(hook, PFN_DOWN(start), PFN_UP(end));
}

static void kview_hit_default(const struct hook *hook, unsigned long page, unsigned long b,
			      unsigned long c)
{
	kview_block_hold(page_to_pfn((struct page *)page) >> KVIEW_BLOCK_SHIFT);
}

static struct hook hooks[] = {
	/* 6.1 and later; after the entry is cleared and before the owner can store */
	{ "flush_tlb_kernel_range", KVIEW_CAUSE_DIRECT_MAP, false, kview_hit_flush,
	  KVIEW_EVENT_DIRECT_MAP },
	/* 6.1 to 7.2 */
	{ "set_direct_map_invalid_noflush", KVIEW_CAUSE_DIRECT_MAP, true, kview_hit_page,
	  KVIEW_EVENT_DIRECT_MAP },
	{ "set_direct_map_default_noflush", KVIEW_CAUSE_DIRECT_MAP, true, kview_hit_default, 0 },
	/* 6.13 and later: page, number, valid */
	{ "set_direct_map_valid_noflush", KVIEW_CAUSE_DIRECT_MAP, true, kview_hit_pages, 0 },
	{ "set_memory_np", KVIEW_CAUSE_DIRECT_MAP, true, kview_hit_np, 0 },
	{ "memory_failure", KVIEW_CAUSE_POISON, true, kview_hit_pfn, KVIEW_EVENT_POISON },
	{ "soft_offline_page", KVIEW_CAUSE_POISON, true, kview_hit_pfn, 0 },
	/* 6.4 and later; after PG_hwpoison is set, from action_result() and page_handle_poison() */
	{ "memblk_nr_poison_inc", KVIEW_CAUSE_POISON, false, kview_hit_pfn, KVIEW_EVENT_POISON },
	{ "balloon_page_enqueue", KVIEW_CAUSE_BALLOON, true, kview_hit_second_page, 0 },
	{ "balloon_page_list_enqueue", KVIEW_CAUSE_BALLOON, true, kview_hit_list, 0 },
	/* after PageOffline is set, but for Xen, which sets it later */
	{ "adjust_managed_page_count", KVIEW_CAUSE_BALLOON, true, kview_hit_managed,
	  KVIEW_EVENT_BALLOON },
	/* before set_memory_uc(), set_memory_wc() and set_pages_array_*() */
	{ "memtype_reserve", KVIEW_CAUSE_MEMTYPE, true, kview_hit_memtype, KVIEW_EVENT_MEMTYPE },
};

static void kview_event_hit(struct kview_compat_hook *compat, unsigned long a, unsigned long b,
			    unsigned long c)
{
	const struct hook *hook = container_of(compat, struct hook, compat);

	hook->hit(hook, a, b, c);
}

static struct kview_compat_hooks all_hooks = { .hit = kview_event_hit };

/**
 * kview_event_missing - classes of events without a working hook
 *
 * Return: KVIEW_EVENT_* bits.
 */
u32 kview_event_missing(void)
{
	return READ_ONCE(missing);
}

/**
 * kview_event_check - test that hooks are called
 *
 * adjust_managed_page_count() with a count of 0 changes nothing.
 *
 * Context: in the thread of revoke.c, or before it runs.
 */
void kview_event_check(void)
{
	int before = atomic_read(&tests_seen);
	u32 now = KVIEW_EVENT_ALL;
	unsigned int i;

	adjust_managed_page_count(ZERO_PAGE(0), 0);
	if (atomic_read(&tests_seen) != before)
		for (i = 0, now &= ~registered; i < ARRAY_SIZE(hooks); i++)
			if (hooks[i].compat.active && kview_compat_hook_missed(&hooks[i].compat))
				now |= hooks[i].class;
	if (now & ~missing)
		pr_warn("kernel hooks do not work; mapped pages are checked once a second\n");
	WRITE_ONCE(missing, now);
}

/**
 * kview_event_init - hook the functions that there are
 *
 * A function that is missing or cannot be hooked makes its class one of kview_event_missing().
 */
void kview_event_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (!kview_compat_hook_add(&all_hooks, &hooks[i].compat, hooks[i].symbol))
			registered |= hooks[i].class;
	if (kview_compat_hooks_start(&all_hooks))
		registered = 0;
	kview_event_check();
}

/** kview_event_exit - remove the hooks, and wait for processes that they made wait */
void kview_event_exit(void)
{
	kview_compat_hooks_stop(&all_hooks);
	wait_event(waits_done, !atomic_read(&nr_waits));
	/* The end of kview_event_wait() may still be running. */
	kview_compat_synchronize_tasks();
}
