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

DEFINE_STATIC_SRCU(sections);
/*
 * The frames that may be shown at all: System RAM, less what is going offline or is
 * offline since the module was loaded. Read in a section; replaced under ram_lock.
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
 * kview_page_lock - begin a section, in which verdicts hold
 *
 * Return: what kview_page_unlock() wants to be given.
 */
int kview_page_lock(void)
{
	return srcu_read_lock(&sections);
}

/**
 * kview_page_unlock - end a section
 * @section: what kview_page_lock() returned
 */
void kview_page_unlock(int section)
{
	srcu_read_unlock(&sections, section);
}

/**
 * kview_page_synchronize - wait for all sections that have begun before
 *
 * Context: may sleep; not in a section.
 */
void kview_page_synchronize(void)
{
	synchronize_srcu(&sections);
}

/*
 * How the kernel itself maps @vaddr, and for how many pages from there on its page
 * tables give the same answer without another look.
 *
 * Interrupts are off for the walk so that page tables which are freed after a TLB
 * flush by interprocessor interrupts (6.15 and later merge small entries of the direct
 * map) stay while we look.
 *
 * Return: present, cached write-back and, if this host encrypts memory, encrypted.
 */
static bool mapping_is_plain(unsigned long vaddr, unsigned long *nr)
{
	pteval_t uncached = _PAGE_LARGE_CACHE_MASK;
	unsigned long flags, size;
	unsigned int level;
	pteval_t val = 0;
	pte_t *pte;

	local_irq_save(flags);
	pte = lookup_address(vaddr, &level);
	if (pte)
		val = pte_val(READ_ONCE(*pte));
	local_irq_restore(flags);

	size = page_level_size(level);
	*nr = (size - (vaddr & (size - 1))) >> PAGE_SHIFT;
	if (level == PG_LEVEL_4K)
		uncached = _PAGE_CACHE_MASK;
	return (val & _PAGE_PRESENT) && !(val & uncached) && (val & _PAGE_ENC) == _PAGE_ENC;
}

/* What struct page says. Racy like every look at a page one does not own, as in /proc/kcore. */
static bool page_is_plain(struct page *page)
{
	return !PageOffline(page) && !is_page_hwpoison(page);
}

/**
 * kview_page_run - judge a run of pages
 * @pfn:   its first page
 * @vaddr: 0, or where @pfn is in the mapping of the kernel image: it must be present
 *         there too
 * @max:   most pages to judge, at least 1
 * @nr:    set to the number of pages from @pfn on that the verdict is about, 1 to @max
 *
 * A visible page is online System RAM, not PageOffline, not poisoned, and in the direct
 * map with plain write-back caching. That is what /proc/kcore shows, less the uncached
 * pages, of which a mapping would make an alias of another type.
 *
 * Context: in a section.
 * Return: true if all of the run may be shown, false if nothing of it may.
 */
bool kview_page_run(unsigned long pfn, unsigned long vaddr, unsigned long max,
		    unsigned long *nr)
{
	unsigned long next, n;
	struct page *page;
	bool visible;

	visible = kview_pfnset_has(srcu_dereference(ram, &sections), pfn, &next);
	max = min(max, next - pfn);
	if (!visible)
		goto out;

	/* pfn_to_online_page() speaks for one subsection, and so do consecutive struct pages. */
	max = min(max, PAGES_PER_SUBSECTION - pfn % PAGES_PER_SUBSECTION);
	page = pfn_to_online_page(pfn);
	visible = page;
	if (!visible)
		goto out;

	visible = mapping_is_plain((unsigned long)page_address(page), &n);
	max = min(max, n);
	if (!visible)
		goto out;
	if (vaddr) {
		visible = mapping_is_plain(vaddr, &n);
		max = min(max, n);
		if (!visible)
			goto out;
	}

	visible = page_is_plain(page);
	for (n = 1; n < max && page_is_plain(page + n) == visible; n++)
		;
	max = n;
out:
	*nr = max;
	return visible;
}

/**
 * kview_page_block - may a whole naturally aligned block be shown by one entry
 * @pfn:   its first page
 * @vaddr: as for kview_page_run()
 * @order: its size, log2 of pages
 *
 * Blocks over 2 MiB pass only where the direct map has one entry for all of it: where
 * it has not, there is mostly a reason inside, and the search for it would be long.
 *
 * Context: in a section; may reschedule.
 * Return: whether each page of it may be shown.
 */
bool kview_page_block(unsigned long pfn, unsigned long vaddr, unsigned int order)
{
	unsigned long left = 1UL << order;
	unsigned long nr;

	if (order > PMD_SHIFT - PAGE_SHIFT &&
	    (!kview_page_run(pfn, vaddr, 1, &nr) ||
	     !mapping_is_plain((unsigned long)pfn_to_kaddr(pfn), &nr) || nr < left))
		return false;

	while (left) {
		if (!kview_page_run(pfn, vaddr, left, &nr))
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

	lockdep_assert_held(&ram_lock);
	old = rcu_replace_pointer(ram, next, lockdep_is_held(&ram_lock));
	kview_page_synchronize();
	kfree(old);
}

/**
 * kview_page_allow - let pages be shown, if they pass the other tests
 * @start: first page frame number
 * @end:   the one after the last
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

static int collect_resource(struct resource *res, void *arg)
{
	struct kview_pfnset **set = arg;
	/* Only whole pages, as for /proc/kcore. */
	unsigned long start = PFN_UP(res->start);
	unsigned long end = PFN_DOWN(res->end + 1);
	struct kview_pfnset *next;

	if (start >= end)
		return 0;
	next = kview_pfnset_add(*set, start, end);
	if (!next)
		return -ENOMEM;
	kfree(*set);
	*set = next;
	return 0;
}

/**
 * kview_page_init - learn what is System RAM
 *
 * Comes before the memory notifier is there and before the first view. Memory that goes
 * offline meanwhile is hidden because pfn_to_online_page() does not know it any more.
 *
 * Return: 0 or -ENOMEM.
 */
int kview_page_init(void)
{
	struct kview_pfnset *set = NULL;
	int ret = walk_iomem_res_desc(IORES_DESC_NONE,
				      IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				      0, -1, &set, collect_resource);

	if (ret == -ENOMEM) {
		kfree(set);
		return ret;
	}
	/* Any other value but 0 means that there is no such resource: an empty set. */
	RCU_INIT_POINTER(ram, set);
	return 0;
}

/** kview_page_exit - forget it. No section is open any more, and none will be. */
void kview_page_exit(void)
{
	kfree(rcu_dereference_protected(ram, true));
	RCU_INIT_POINTER(ram, NULL);
}
