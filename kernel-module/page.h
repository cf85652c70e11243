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

#include <linux/types.h>

u32 kview_page_refusals(void);

int kview_page_init(void);
void kview_page_exit(void);

int kview_page_lock(void);
void kview_page_unlock(int section);
void kview_page_synchronize(void);

bool kview_page_run(unsigned long pfn, unsigned long vaddr, unsigned long max,
		    unsigned long *nr);
bool kview_page_block(unsigned long pfn, unsigned long vaddr, unsigned int order);

int kview_page_allow(unsigned long start, unsigned long end);
int kview_page_forbid(unsigned long start, unsigned long end);

#endif /* KVIEW_PAGE_H */
