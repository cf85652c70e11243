/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verdicts: which pages may be shown.
 *
 * A verdict holds until the end of the judgement in which it was made: the code between
 * kview_judge_begin() and kview_judge_end(), which also contains the use of the verdict (the
 * copy, or the insertion into a page table). To hide memory, change what the verdict depends
 * on, call kview_page_synchronize(), then unmap. A judgement may sleep, but must not take
 * page faults of user space, because memory offlining waits for judgements.
 */
#ifndef KVIEW_PAGE_H
#define KVIEW_PAGE_H

#include <linux/srcu.h>
#include <linux/types.h>

u32 kview_page_refusals(void);

int kview_page_init(void);
void kview_page_exit(void);

extern struct srcu_struct kview_judgements;

/**
 * kview_judge_begin - begin a judgement
 *
 * Return: the argument for kview_judge_end().
 */
static inline int kview_judge_begin(void)
{
	return srcu_read_lock(&kview_judgements);
}

/**
 * kview_judge_end - end a judgement
 * @judgement: the value that kview_judge_begin() returned
 */
static inline void kview_judge_end(int judgement)
{
	srcu_read_unlock(&kview_judgements, judgement);
}

void kview_page_synchronize(void);

/**
 * enum kview_page_use - what a verdict is for
 * @KVIEW_PAGE_READ:     a copy that stops at a page that is not mapped
 * @KVIEW_PAGE_MAP:      page-table entries of 4 KiB, each with the memory type of its page
 * @KVIEW_PAGE_MAP_HUGE: a huge page-table entry: all pages must be cached write-back
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
