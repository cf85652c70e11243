/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verdicts: which pages may be shown.
 *
 * A page is visible if it is online System RAM, not PageOffline, not poisoned, and in the
 * direct map, as for /proc/kcore.
 *
 * A judgement is the code between kview_judge_begin() and kview_judge_end(). In it the set of
 * frames stays, and so do the struct pages of its frames: kview_page_forbid() waits for
 * judgements. A judgement neither sleeps nor is preempted, so a throttled process does not
 * delay memory hotplug. A read uses its verdict in the judgement that made it. A mapping
 * outlives its verdict; block.h has the rules for that.
 */
#ifndef KVIEW_PAGE_H
#define KVIEW_PAGE_H

#include <linux/rcupdate.h>
#include <linux/types.h>

/* Pages in a block: the naturally aligned physical memory that one huge entry can map. */
#define KVIEW_BLOCK_PAGES 512
#define KVIEW_BLOCK_SHIFT 9

u32 kview_page_refusals(void);

int kview_page_init(void);
void kview_page_exit(void);

/** kview_judge_begin - begin a judgement */
static inline void kview_judge_begin(void)
{
	rcu_read_lock_sched();
}

/** kview_judge_end - end a judgement */
static inline void kview_judge_end(void)
{
	rcu_read_unlock_sched();
}

/**
 * struct kview_page_run - a verdict on consecutive pages
 * @nr:      number of pages for which it holds, at least 1
 * @visible: the verdict
 */
struct kview_page_run {
	unsigned long nr;
	bool visible;
};

bool kview_page_judge_one(unsigned long pfn);
struct kview_page_run kview_page_judge_run(unsigned long pfn, unsigned long vaddr, bool walk,
					   unsigned long max);

/* Sums of verdicts; any other value is a hash of the codes. */
#define KVIEW_SUM_NONE 0	/* no verdict */
#define KVIEW_SUM_FULL 1	/* all pages are visible and cached write-back */

/**
 * struct kview_verdict - a verdict on each page of a block
 * @sum:  equal for equal verdicts; KVIEW_SUM_FULL if one huge entry may map the block
 * @code: for each page, KVIEW_ARCH_ABSENT if it is hidden, else its memory type as in arch.h
 */
struct kview_verdict {
	u64 sum;
	u8 code[KVIEW_BLOCK_PAGES];
};

void kview_page_judge_block(unsigned long block, struct kview_verdict *verdict);
unsigned long kview_page_in_direct_map(unsigned long block, unsigned long max);
void kview_page_hide_image(unsigned long vaddr, u8 *code, unsigned int nr);

int kview_page_allow(unsigned long start, unsigned long end);
int kview_page_forbid(unsigned long start, unsigned long end);
void kview_page_forbid_all(void);
int kview_page_for_each_range(int (*fn)(unsigned long start, unsigned long end));

#endif /* KVIEW_PAGE_H */
