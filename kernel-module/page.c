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

DEFINE_SRCU(kview_page_sections);
/*
 * The frames that may be shown at all: System RAM that is online and not on its way to go
 * offline. Each of them has a struct page. Read in a section; replaced under ram_lock.
 */
static struct kview_pfnset __rcu *ram;
static DEFINE_MUTEX(ram_lock);

/**
 * kview_page_refusals - why RAM cannot be shown now
 *
 * Context: may log a line, as every check of lockdown that fails does.
 * Return: KVIEW_REFUSAL_* bits, 0 if RAM can be shown.
 */
u32 kview_page_refusals(void)
{
	u32 refusals = 0;

	if (security_locked_down(LOCKDOWN_KCORE))
		refusals |= KVIEW_REFUSAL_LOCKDOWN;
	/*
	 * Unaccepted memory must not be touched and shared pages need another page table
	 * bit; the kernel tells modules about neither.
	 */
	if (cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT))
		refusals |= KVIEW_REFUSAL_ENCRYPTED;
	return refusals;
}

/**
 * kview_page_synchronize - wait for all sections that have begun before
 *
 * Context: may sleep; not in a section.
 */
void kview_page_synchronize(void)
{
	synchronize_srcu(&kview_page_sections);
}

/*
 * How the kernel itself maps [vaddr, vaddr + max pages): whether the first page is
 * present, encrypted if this host encrypts its memory, and has none of the bits in
 * @never (for entries of 4 KiB) or @never_large; and in *nr for how many pages that holds,
 * as far as one page table tells.
 *
 * Interrupts are off so that page tables which are freed after a TLB flush by
 * interprocessor interrupts (6.15 and later merge small entries of the direct map) stay
 * while we look.
 */
static bool is_mapped(unsigned long vaddr, pteval_t never, pteval_t never_large,
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
		/* The rest of this page table lies behind the entry. */
		max = min(max, PTRS_PER_PTE - pte_index(vaddr));
		mapped = (pte_val(READ_ONCE(pte[0])) & (want | never)) == want;
		for (; n < max; n++)
			if (((pte_val(READ_ONCE(pte[n])) & (want | never)) == want) != mapped)
				break;
	} else if (pte) {
		mapped = (pte_val(READ_ONCE(*pte)) & (want | never_large)) == want;
		n = (page_level_size(level) - (vaddr & ~page_level_mask(level))) >> PAGE_SHIFT;
	}
	/* Without an entry, kernels do not agree on what level says (6.1: that of a table above). */
	local_irq_restore(flags);
	*nr = min(n, max);
	return mapped;
}

/* What struct page says. Racy like every look at a page one does not own, as in /proc/kcore. */
static bool page_is_plain(struct page *page)
{
	return !PageOffline(page) && !is_page_hwpoison(page);
}

/* The same for the page tables: which of a run of pages the kernel itself has mapped. */
static bool run_is_mapped(const struct page *page, unsigned long vaddr, enum kview_page_use use,
			  unsigned long max, unsigned long *nr)
{
	const bool huge = use == KVIEW_PAGE_MAP_HUGE;
	bool mapped;

	mapped = is_mapped((unsigned long)page_address(page), huge ? _PAGE_CACHE_MASK : 0,
			   huge ? _PAGE_LARGE_CACHE_MASK : 0, max, nr);
	if (mapped && vaddr)
		mapped = is_mapped(vaddr, 0, 0, *nr, nr);
	return mapped;
}

/**
 * kview_page_run - judge a run of pages
 * @pfn:   its first page
 * @vaddr: 0, or where @pfn is in the mapping of the kernel image: it must be present
 *         there too
 * @use:   what the pages are wanted for
 * @max:   most pages to judge, at least 1
 *
 * A visible page is online System RAM, not PageOffline, not poisoned, and in the direct
 * map, which is what /proc/kcore shows. For KVIEW_PAGE_READ the last of these is left
 * to the copy where that can tell as well, because it is what takes the longest.
 *
 * Context: in a section.
 * Return: for how many pages from @pfn on the verdict holds, 1 to @max: as it is if they
 * may be shown, negated if they may not.
 */
long kview_page_run(unsigned long pfn, unsigned long vaddr, enum kview_page_use use,
		    unsigned long max)
{
	unsigned long next, n;
	struct page *page;
	bool visible;

	visible = kview_pfnset_has(srcu_dereference(ram, &kview_page_sections), pfn, &next);
	max = min(max, next - pfn);
	if (!visible)
		return -max;

	/* Within a section of the memory map, consecutive frames have consecutive struct pages. */
	max = min(max, PAGES_PER_SECTION - pfn % PAGES_PER_SECTION);
	page = pfn_to_page(pfn);

	/*
	 * The copy reads an image page by its image address, and what encrypted memory
	 * holds in plain text is no fault: neither would tell.
	 */
	if ((use != KVIEW_PAGE_READ || vaddr || _PAGE_ENC) &&
	    !run_is_mapped(page, vaddr, use, max, &max))
		return -max;

	visible = page_is_plain(page);
	for (n = 1; n < max && page_is_plain(page + n) == visible; n++)
		;
	return visible ? n : -n;
}

/**
 * kview_page_block - may a whole naturally aligned block be shown by one entry
 * @pfn:   its first page
 * @vaddr: as for kview_page_run()
 * @order: its size, log2 of pages
 *
 * Each page must be visible, and cached write-back: the kernel gives a huge entry the
 * memory type of its first page. Blocks over 2 MiB pass only where the direct map has
 * one entry for all of it: where it has not, there is mostly a reason inside, and the
 * search for it would be long.
 *
 * Context: in a section; may reschedule.
 * Return: whether the block passes.
 */
bool kview_page_block(unsigned long pfn, unsigned long vaddr, unsigned int order)
{
	unsigned long left = 1UL << order;
	unsigned long leaf;
	long nr;

	if (order > PMD_SHIFT - PAGE_SHIFT &&
	    (kview_page_run(pfn, vaddr, KVIEW_PAGE_MAP_HUGE, 1) < 0 ||
	     !is_mapped((unsigned long)pfn_to_kaddr(pfn), 0, 0, left, &leaf) || leaf < left))
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

/* Puts @next in the place of the set that is in force, and frees that when nobody uses it. */
static void replace_ram(struct kview_pfnset *next)
{
	struct kview_pfnset *old;

	old = rcu_replace_pointer(ram, next, lockdep_is_held(&ram_lock));
	kview_page_synchronize();
	kfree(old);
}

/* Replaces *set by its union with [start, end). */
static int add_run(struct kview_pfnset **set, unsigned long start, unsigned long end)
{
	struct kview_pfnset *next = kview_pfnset_add(*set, start, end);

	if (!next)
		return -ENOMEM;
	kfree(*set);
	*set = next;
	return 0;
}

/* Adds to *set what is online of [start, end). */
static int add_online(struct kview_pfnset **set, unsigned long start, unsigned long end)
{
	unsigned long run = start, pfn, next;
	int ret;

	for (pfn = start; pfn < end; pfn = next) {
		/* What is said of a frame holds for its subsection. */
		next = min(end, ALIGN_DOWN(pfn, PAGES_PER_SUBSECTION) + PAGES_PER_SUBSECTION);
		if (pfn_to_online_page(pfn))
			continue;
		ret = run < pfn ? add_run(set, run, pfn) : 0;
		if (ret)
			return ret;
		run = next;
		cond_resched();
	}
	return run < end ? add_run(set, run, end) : 0;
}

/**
 * kview_page_allow - let pages be shown, if they pass the other tests
 * @start: first page frame number
 * @end:   the one after the last; all are online
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM, and the pages stay hidden.
 */
int kview_page_allow(unsigned long start, unsigned long end)
{
	struct kview_pfnset *next;

	mutex_lock(&ram_lock);
	next = kview_pfnset_add(rcu_dereference_protected(ram, lockdep_is_held(&ram_lock)),
				start, end);
	if (next)
		replace_ram(next);
	mutex_unlock(&ram_lock);
	return next ? 0 : -ENOMEM;
}

/**
 * kview_page_forbid - hide pages until kview_page_allow()
 * @start: first page frame number
 * @end:   the one after the last
 *
 * When it returns, no section has the old verdict any more. What is mapped already stays
 * mapped: the caller zaps.
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM, and nothing has changed.
 */
int kview_page_forbid(unsigned long start, unsigned long end)
{
	struct kview_pfnset *next;

	mutex_lock(&ram_lock);
	next = kview_pfnset_remove(rcu_dereference_protected(ram, lockdep_is_held(&ram_lock)),
				   start, end);
	if (next)
		replace_ram(next);
	mutex_unlock(&ram_lock);
	return next ? 0 : -ENOMEM;
}

/** kview_page_forbid_all - the same for all pages; needs no memory, so cannot fail */
void kview_page_forbid_all(void)
{
	mutex_lock(&ram_lock);
	replace_ram(NULL);
	mutex_unlock(&ram_lock);
}

static int collect_resource(struct resource *res, void *arg)
{
	/* Only whole pages, as for /proc/kcore. */
	return add_online(arg, PFN_UP(res->start), PFN_DOWN(res->end + 1));
}

/**
 * kview_page_init - learn what memory there is
 *
 * Comes after the memory notifier is there, so that nothing that changes from now on is
 * missed, and before the first view. Memory that began to go offline before is still
 * online and gets allowed; the notifier hears the end of it and forbids it then.
 *
 * Return: 0 or -ENOMEM; kview_page_exit() is due in either case.
 */
int kview_page_init(void)
{
	struct kview_pfnset *set = NULL;
	int ret;

	mutex_lock(&ram_lock);
	ret = walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				  0, -1, &set, collect_resource);
	/* What came online since the notifier is there has been heard of, and found here too. */
	replace_ram(set);
	mutex_unlock(&ram_lock);
	/* Any other error means that there is no such resource, and nothing to show. */
	return ret == -ENOMEM ? ret : 0;
}

/** kview_page_exit - forget it. No section is open any more, and none will be. */
void kview_page_exit(void)
{
	kfree(rcu_dereference_protected(ram, true));
	RCU_INIT_POINTER(ram, NULL);
}
