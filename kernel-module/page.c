// SPDX-License-Identifier: GPL-2.0-only
#include "page.h"

#include <linux/cc_platform.h>
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/page-flags.h>
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "arch.h"
#include "compat.h"
#include "kview.h"
#include "pfnset.h"

/*
 * The frames that may be shown: System RAM that is online and not about to go offline. Each
 * has a struct page. Read in a judgement; replaced under ram_lock.
 */
static struct kview_pfnset __rcu *ram;
static DEFINE_MUTEX(ram_lock);

/**
 * kview_page_refusals - reasons for which RAM cannot be shown now
 *
 * Context: logs a line if a lockdown check fails, as security_locked_down() does.
 * Return: KVIEW_REFUSAL_* bits, 0 if RAM can be shown.
 */
u32 kview_page_refusals(void)
{
	u32 refusals = 0;

	if (security_locked_down(LOCKDOWN_KCORE))
		refusals |= KVIEW_REFUSAL_LOCKDOWN;
	/*
	 * Unaccepted memory must not be touched, and shared pages need another page-table
	 * bit. No interface tells modules which pages these are.
	 */
	if (cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT))
		refusals |= KVIEW_REFUSAL_ENCRYPTED;
	return refusals;
}

/* The part of the verdict that is in struct page. Racy without a reference, as in /proc/kcore. */
static bool page_is_plain(struct page *page)
{
	return !PageOffline(page) && !is_page_hwpoison(page);
}

/*
 * Number of pages from @page on, at most @max, that one look shows to be plain; 0 if the look
 * is at @page alone. Free blocks contain no PageOffline page, and a poisoned page is taken
 * out of them before memory_failure() ends. Folios have a flag for a poisoned page inside.
 * The order is read without a lock, so it is used only if the page is still the same after.
 */
static unsigned long plain_by_order(struct page *page, unsigned long max)
{
	unsigned int order;

	if (PageBuddy(page)) {
		order = READ_ONCE(page->private);
		if (order > KVIEW_COMPAT_MAX_ORDER || !PageBuddy(page))
			return 0;
	} else if (kview_compat_is_plain_folio(page, &order)) {
		if (PageOffline(page) || PageHWPoison(page))
			return 0;
	} else {
		return 0;
	}
	return min(max, 1UL << order);
}

/**
 * kview_page_judge_one - judge a page for a read that stops at an absent page
 * @pfn: the page
 *
 * The short form of kview_page_judge_run(), without a look at page tables.
 *
 * Context: in a judgement.
 * Return: true if it is visible.
 */
bool kview_page_judge_one(unsigned long pfn)
{
	unsigned long next;

	return kview_pfnset_has(rcu_dereference_sched(ram), pfn, &next) &&
	       page_is_plain(pfn_to_page(pfn));
}

/**
 * kview_page_judge_run - judge consecutive pages for a read
 * @pfn:   the first page
 * @vaddr: 0, or the address of @pfn in the mapping of the kernel image, where it must be
 *         present, too
 * @walk:  look at the kernel's page tables. A copy that stops at an absent page can do
 *         without, which is faster, except for image pages, which it reads by their image
 *         address, and for encrypted memory, where a read of plain text does not fault
 * @max:   most pages to judge, at least 1
 *
 * Context: in a judgement.
 */
struct kview_page_run kview_page_judge_run(unsigned long pfn, unsigned long vaddr, bool walk,
					   unsigned long max)
{
	struct kview_page_run run = { };
	unsigned long next;
	struct page *page;

	RCU_LOCKDEP_WARN(!rcu_read_lock_sched_held(), "verdict outside of a judgement");
	run.visible = kview_pfnset_has(rcu_dereference_sched(ram), pfn, &next);
	run.nr = min(max, next - pfn);
	if (!run.visible)
		return run;

	/* struct pages are consecutive within a section of sparsemem. */
	run.nr = min(run.nr, PAGES_PER_SECTION - pfn % PAGES_PER_SECTION);
	page = pfn_to_page(pfn);
	if (walk || vaddr || !kview_arch_read_faults()) {
		run.visible = kview_arch_lookup((unsigned long)page_address(page), run.nr,
						&run.nr) != KVIEW_ARCH_ABSENT;
		if (run.visible && vaddr)
			run.visible = kview_arch_lookup(vaddr, run.nr, &run.nr) !=
				      KVIEW_ARCH_ABSENT;
		if (!run.visible)
			return run;
	}

	run.visible = page_is_plain(page);
	for (next = 1; next < run.nr && page_is_plain(page + next) == run.visible; next++)
		;
	run.nr = next;
	return run;
}

/* Hides those of @nr pages of a block that their struct page does not allow to be shown. */
static void judge_pages(unsigned long pfn, u8 *code, unsigned long nr)
{
	struct page *page = pfn_to_page(pfn);
	unsigned long i, plain, next;

	/* The second half of a free block of twice the size. Frames of the set have struct pages. */
	if (pfn % (2 * KVIEW_BLOCK_PAGES) == KVIEW_BLOCK_PAGES &&
	    kview_pfnset_has(rcu_dereference_sched(ram), pfn - KVIEW_BLOCK_PAGES, &next) &&
	    plain_by_order(page - KVIEW_BLOCK_PAGES, ULONG_MAX) > KVIEW_BLOCK_PAGES)
		return;
	for (i = 0; i < nr; i += plain) {
		plain = plain_by_order(page + i, nr - i);
		if (plain)
			continue;
		plain = 1;
		if (!page_is_plain(page + i))
			code[i] = KVIEW_ARCH_ABSENT;
	}
}

static u64 sum_codes(const u8 *code)
{
	u64 sum = 0, differ = 0, word;
	unsigned int i;

	for (i = 0; i < KVIEW_BLOCK_PAGES; i += sizeof(word)) {
		memcpy(&word, code + i, sizeof(word));
		differ |= word ^ (KVIEW_ARCH_CACHED * 0x0101010101010101ULL);
		sum = (sum ^ word) * 0x9e3779b97f4a7c15ULL;
		sum ^= sum >> 29;
	}
	if (!differ)
		return KVIEW_SUM_FULL;
	return max_t(u64, sum, KVIEW_SUM_FULL + 1);
}

/**
 * kview_page_judge_block - judge each page of a block
 * @block:   number of the block: its first page frame number divided by KVIEW_BLOCK_PAGES
 * @verdict: set
 *
 * Context: any but NMI; not in a judgement. The verdict may be out of date on return.
 */
void kview_page_judge_block(unsigned long block, struct kview_verdict *verdict)
{
	unsigned long pfn = block << KVIEW_BLOCK_SHIFT, done, nr, next, i;
	u8 *code = verdict->code, type;

	memset(code, KVIEW_ARCH_ABSENT, KVIEW_BLOCK_PAGES);
	kview_judge_begin();
	for (done = 0; done < KVIEW_BLOCK_PAGES; done += nr) {
		bool online = kview_pfnset_has(rcu_dereference_sched(ram), pfn + done, &next);

		nr = min(KVIEW_BLOCK_PAGES - done, next - (pfn + done));
		if (!online)
			continue;
		/* A block is inside one section of sparsemem. */
		for (i = 0; i < nr; i += next) {
			type = kview_arch_lookup((unsigned long)pfn_to_kaddr(pfn + done + i),
						 nr - i, &next);
			memset(code + done + i, type, next);
		}
		judge_pages(pfn + done, code + done, nr);
	}
	kview_judge_end();
	verdict->sum = sum_codes(code);
}

/**
 * kview_page_in_direct_map - count blocks that are still in the direct map, write-back
 * @block: the first block; each had a verdict of KVIEW_SUM_FULL
 * @max:   most blocks to look at
 *
 * Looks at page tables only, and at a table of 512 blocks at a time where these have large
 * entries.
 *
 * Return: the number of blocks from @block on, 0 to @max.
 */
unsigned long kview_page_in_direct_map(unsigned long block, unsigned long max)
{
	unsigned long vaddr = (unsigned long)pfn_to_kaddr(block << KVIEW_BLOCK_SHIFT);
	unsigned long left = max << KVIEW_BLOCK_SHIFT, done = 0, nr;

	while (done < left) {
		if (kview_arch_lookup(vaddr + (done << PAGE_SHIFT), left - done, &nr) !=
		    KVIEW_ARCH_CACHED)
			break;
		done += nr;
	}
	return done >> KVIEW_BLOCK_SHIFT;
}

/**
 * kview_page_hide_image - hide pages that are absent from the mapping of the kernel image
 * @vaddr: address of the first page there
 * @code:  codes of the pages
 * @nr:    number of pages
 */
void kview_page_hide_image(unsigned long vaddr, u8 *code, unsigned int nr)
{
	unsigned long i, n;

	for (i = 0; i < nr; i += n)
		if (kview_arch_lookup(vaddr + (i << PAGE_SHIFT), nr - i, &n) == KVIEW_ARCH_ABSENT)
			memset(code + i, KVIEW_ARCH_ABSENT, n);
}

/* Replaces the set in force by @next, and frees it once no judgement uses it. */
static void kview_page_replace_ram(struct kview_pfnset *next)
{
	struct kview_pfnset *old;

	old = rcu_replace_pointer(ram, next, lockdep_is_held(&ram_lock));
	synchronize_rcu_expedited();
	kfree(old);
}

/* Replaces *set by its union with [start, end). */
static int kview_page_add_run(struct kview_pfnset **set, unsigned long start, unsigned long end)
{
	struct kview_pfnset *next = kview_pfnset_add(*set, start, end);

	if (!next)
		return -ENOMEM;
	kfree(*set);
	*set = next;
	return 0;
}

/* Adds to *set what is online of [start, end). */
static int kview_page_add_online(struct kview_pfnset **set, unsigned long start, unsigned long end)
{
	unsigned long run = start, pfn, next;
	int ret;

	for (pfn = start; pfn < end; pfn = next) {
		/* pfn_to_online_page() answers for a whole subsection. */
		next = min(end, ALIGN_DOWN(pfn, PAGES_PER_SUBSECTION) + PAGES_PER_SUBSECTION);
		if (pfn_to_online_page(pfn))
			continue;
		ret = run < pfn ? kview_page_add_run(set, run, pfn) : 0;
		if (ret)
			return ret;
		run = next;
		cond_resched();
	}
	return run < end ? kview_page_add_run(set, run, end) : 0;
}

/**
 * kview_page_allow - allow pages to be shown if they pass the other tests
 * @start: first page frame number
 * @end:   the one after the last; all are online
 *
 * Context: may sleep.
 * Return: 0; or -ENOMEM: the pages stay hidden.
 */
int kview_page_allow(unsigned long start, unsigned long end)
{
	struct kview_pfnset *next;

	mutex_lock(&ram_lock);
	next = kview_pfnset_add(rcu_dereference_protected(ram, lockdep_is_held(&ram_lock)),
				start, end);
	if (next)
		kview_page_replace_ram(next);
	mutex_unlock(&ram_lock);
	return next ? 0 : -ENOMEM;
}

/**
 * kview_page_forbid - hide pages until kview_page_allow()
 * @start: first page frame number
 * @end:   the one after the last
 *
 * When it returns, no judgement uses the old verdict. Pages that are mapped stay mapped until
 * the caller unmaps them.
 *
 * Context: may sleep.
 * Return: 0; or -ENOMEM: nothing has changed.
 */
int kview_page_forbid(unsigned long start, unsigned long end)
{
	struct kview_pfnset *next;

	mutex_lock(&ram_lock);
	next = kview_pfnset_remove(rcu_dereference_protected(ram, lockdep_is_held(&ram_lock)),
				   start, end);
	if (next)
		kview_page_replace_ram(next);
	mutex_unlock(&ram_lock);
	return next ? 0 : -ENOMEM;
}

/** kview_page_forbid_all - hide all pages; cannot fail, as it allocates nothing */
void kview_page_forbid_all(void)
{
	mutex_lock(&ram_lock);
	kview_page_replace_ram(NULL);
	mutex_unlock(&ram_lock);
}

static int kview_page_collect(struct resource *res, void *arg)
{
	/* Whole pages only, as in /proc/kcore. */
	return kview_page_add_online(arg, PFN_UP(res->start), PFN_DOWN(res->end + 1));
}

/**
 * kview_page_init - find the System RAM that is online
 *
 * Called after the memory notifier is registered, so that no change is missed, and before
 * the first view. Memory that is going offline at this time is still online and is allowed;
 * the notifier forbids it when it is offline.
 *
 * Return: 0 or -ENOMEM; kview_page_exit() is due in either case.
 */
int kview_page_init(void)
{
	struct kview_pfnset *set = NULL;
	int ret;

	mutex_lock(&ram_lock);
	ret = walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				  0, -1, &set, kview_page_collect);
	/* Memory that came online since the notifier is registered has been found as well. */
	kview_page_replace_ram(set);
	mutex_unlock(&ram_lock);
	/* Other errors mean that there is no such resource. */
	return ret == -ENOMEM ? ret : 0;
}

/** kview_page_exit - free the set. No judgement is under way, and none will begin. */
void kview_page_exit(void)
{
	kfree(rcu_dereference_protected(ram, true));
	RCU_INIT_POINTER(ram, NULL);
}

/**
 * kview_page_for_each_range - call a function for each range of frames that may be shown
 * @fn: gets the first frame and the one after the last; returns 0 or -errno
 *
 * Context: may sleep; @fn must not change the set.
 * Return: 0 or what @fn returned.
 */
int kview_page_for_each_range(int (*fn)(unsigned long start, unsigned long end))
{
	const struct kview_pfnset *set;
	unsigned int i;
	int ret = 0;

	mutex_lock(&ram_lock);
	set = rcu_dereference_protected(ram, lockdep_is_held(&ram_lock));
	for (i = 0; !ret && set && i < set->nr; i++)
		ret = fn(set->range[i].start, set->range[i].end);
	mutex_unlock(&ram_lock);
	return ret;
}
