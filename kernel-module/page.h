/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages may be shown.
 *
 * A verdict is worth something only inside a section, kview_page_lock() to
 * kview_page_unlock(), which also holds whatever is done with it: the copy, or the
 * insertion into a page table. Whoever takes memory away first makes the verdict
 * negative, then waits for the sections that may have seen the old one with
 * kview_page_synchronize(), then zaps. A section may sleep but must never wait for
 * user space, so no user page fault in it: memory offlining waits for sections.
 */
#ifndef KVIEW_PAGE_H
#define KVIEW_PAGE_H

#include <linux/srcu.h>
#include <linux/types.h>

u32 kview_page_refusals(void);

int kview_page_init(void);
void kview_page_exit(void);

extern struct srcu_struct kview_page_sections;

/**
 * kview_page_lock - begin a section, in which verdicts hold
 *
 * Return: what kview_page_unlock() wants to be given.
 */
static inline int kview_page_lock(void)
{
	return srcu_read_lock(&kview_page_sections);
}

/**
 * kview_page_unlock - end a section
 * @section: what kview_page_lock() returned
 */
static inline void kview_page_unlock(int section)
{
	srcu_read_unlock(&kview_page_sections, section);
}

void kview_page_synchronize(void);

/**
 * enum kview_page_use - what pages are wanted for
 * @KVIEW_PAGE_READ:     to be copied by a copy that stops at a page that is not there
 * @KVIEW_PAGE_MAP:      to be mapped by small entries, which get the memory type that the
 *                       kernel has noted for each page
 * @KVIEW_PAGE_MAP_HUGE: to be mapped by a huge entry: write-back caching only
 */
enum kview_page_use {
	KVIEW_PAGE_READ,
	KVIEW_PAGE_MAP,
	KVIEW_PAGE_MAP_HUGE,
};

long kview_page_run(unsigned long pfn, unsigned long vaddr, enum kview_page_use use,
		    unsigned long max);
bool kview_page_block(unsigned long pfn, unsigned long vaddr, unsigned int order);

int kview_page_allow(unsigned long start, unsigned long end);
int kview_page_forbid(unsigned long start, unsigned long end);
void kview_page_forbid_all(void);

#endif /* KVIEW_PAGE_H */
