// SPDX-License-Identifier: GPL-2.0-only
#include "page.h"

#include <linux/cc_platform.h>
#include <linux/ioport.h>
#include <linux/irqflags.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/page-flags.h>
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include <asm/pgtable.h>

#include "kview.h"
#include "pfnset.h"

DEFINE_SRCU(kview_judgements);
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

/**
 * kview_page_synchronize - wait for all judgements that have begun
 *
 * Context: may sleep; not in a judgement.
 */
void kview_page_synchronize(void)
{
	synchronize_srcu(&kview_judgements);
}

/*
 * Tells whether the kernel's own page tables map @vaddr: the entry is present, has the
 * encryption bit if the host encrypts its memory, and has none of the bits in @never (4 KiB
 * entries) or @never_large. *nr is set to the number of pages, 1 to @max, for which the
 * answer holds, as far as one page table tells.
 *
 * Interrupts are off because 6.15 and later free page tables of the direct map after a
 * flush by interprocessor interrupt (cpa_collapse_large_pages()).
 */
static bool kview_page_is_mapped(unsigned long vaddr, pteval_t never, pteval_t never_large,
		      unsigned long max, unsigned long *nr)
{
	const pteval_t want = _PAGE_PRESENT | _PAGE_ENC;
	unsigned long flags, n = 1;
	unsigned int level;
	bool mapped = false;
	pte_t *pte;

	local_irq_save(flags);
	pte = lookup_address(vaddr, &level);
	if (pte && level == PG_LEVEL_4K) {
		/* The entry is part of a page table: look at the entries after it, too. */
		max = min(max, PTRS_PER_PTE - pte_index(vaddr));
		mapped = (pte_val(READ_ONCE(pte[0])) & (want | never)) == want;
		for (; n < max; n++)
			if (((pte_val(READ_ONCE(pte[n])) & (want | never)) == want) != mapped)
				break;
	} else if (pte) {
		mapped = (pte_val(READ_ONCE(*pte)) & (want | never_large)) == want;
		n = (page_level_size(level) - (vaddr & ~page_level_mask(level))) >> PAGE_SHIFT;
	}
	/* Without an entry, @level is not used: 6.1 sets it to that of a table above. */
	local_irq_restore(flags);
	*nr = min(n, max);
	return mapped;
}

/* The part of the verdict that is in struct page. Racy without a reference, as in /proc/kcore. */
static bool page_is_plain(struct page *page)
{
	return !PageOffline(page) && !is_page_hwpoison(page);
}

/* The part of the verdict that is in the kernel's page tables, for a run of pages. */
static bool kview_page_run_is_mapped(const struct page *page, unsigned long vaddr, enum kview_page_use use,
			  unsigned long max, unsigned long *nr)
{
	const bool huge = use == KVIEW_PAGE_MAP_HUGE;
	bool mapped;

	mapped = kview_page_is_mapped((unsigned long)page_address(page), huge ? _PAGE_CACHE_MASK : 0,
			   huge ? _PAGE_LARGE_CACHE_MASK : 0, max, nr);
	if (mapped && vaddr)
		mapped = kview_page_is_mapped(vaddr, 0, 0, *nr, nr);
	return mapped;
}

/**
 * kview_page_run - judge a run of pages
 * @pfn:   its first page
 * @vaddr: 0, or the address of @pfn in the mapping of the kernel image, where it must be
 *         present, too
 * @use:   what the verdict is for
 * @max:   most pages to judge, at least 1
 *
 * A page is visible if it is online System RAM, not PageOffline, not poisoned and in the
 * direct map, as for /proc/kcore. For KVIEW_PAGE_READ the look at the direct map is left to
 * the copy where that finds out as well, because it takes longest.
 *
 * Context: in a judgement.
 * Return: the number of pages from @pfn for which the verdict holds, 1 to @max; positive if
 * they are visible, negated if they are hidden.
 */
long kview_page_run(unsigned long pfn, unsigned long vaddr, enum kview_page_use use,
		    unsigned long max)
{
	unsigned long next, n;
	struct page *page;
	bool visible;

	visible = kview_pfnset_has(srcu_dereference(ram, &kview_judgements), pfn, &next);
	max = min(max, next - pfn);
	if (!visible)
		return -max;

	/* struct pages are consecutive within a section of sparsemem. */
	max = min(max, PAGES_PER_SECTION - pfn % PAGES_PER_SECTION);
	page = pfn_to_page(pfn);

	/*
	 * The copy cannot find out for image pages, which it reads by their image address,
	 * nor for encrypted memory, where a read of plain text does not fault.
	 */
	if ((use != KVIEW_PAGE_READ || vaddr || _PAGE_ENC) &&
	    !kview_page_run_is_mapped(page, vaddr, use, max, &max))
		return -max;

	visible = page_is_plain(page);
	for (n = 1; n < max && page_is_plain(page + n) == visible; n++)
		;
	return visible ? n : -n;
}

/**
 * kview_page_block - judge a naturally aligned block that one entry is to map
 * @pfn:   its first page
 * @vaddr: as for kview_page_run()
 * @order: its size, log2 of pages
 *
 * Each page must be visible and cached write-back, because track_pfn_insert() gives a huge
 * entry the memory type of its first page. Blocks over 2 MiB pass only if one entry of the
 * direct map covers them.
 *
 * Context: in a judgement; may reschedule.
 * Return: true if the block passes.
 */
bool kview_page_block(unsigned long pfn, unsigned long vaddr, unsigned int order)
{
	unsigned long left = 1UL << order;
	unsigned long leaf;
	long nr;

	if (order > PMD_SHIFT - PAGE_SHIFT &&
	    (kview_page_run(pfn, vaddr, KVIEW_PAGE_MAP_HUGE, 1) < 0 ||
	     !kview_page_is_mapped((unsigned long)pfn_to_kaddr(pfn), 0, 0, left, &leaf) || leaf < left))
		return false;

	while (left) {
		nr = kview_page_run(pfn, vaddr, KVIEW_PAGE_MAP_HUGE, left);
		if (nr < 0)
			return false;
		pfn += nr;
		left -= nr;
		if (vaddr)
			vaddr += nr << PAGE_SHIFT;
		cond_resched();
	}
	return true;
}

/* Replaces the set in force by @next, and frees it once no judgement uses it. */
static void kview_page_replace_ram(struct kview_pfnset *next)
{
	struct kview_pfnset *old;

	old = rcu_replace_pointer(ram, next, lockdep_is_held(&ram_lock));
	kview_page_synchronize();
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
