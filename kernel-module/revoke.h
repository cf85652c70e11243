/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Revocation: a thread judges blocks again after events and unmaps those whose verdict has
 * changed, from every view. It alone unmaps.
 *
 * The thread has a real-time priority, so that it needs neither a processor nor memory that
 * others use up. It waits for i_mmap_rwsem and page-table locks only.
 *
 * Lock order: mmap_lock or a VMA's own lock, a block's lock of block.c, page-table locks. And:
 * i_mmap_rwsem, page-table locks. views_lock of revoke.c is a leaf.
 */
#ifndef KVIEW_REVOKE_H
#define KVIEW_REVOKE_H

#include <linux/types.h>

#include "block.h"

struct kthread_worker;
struct kview_view;

int kview_revoke_init(void);
void kview_revoke_exit(void);
struct kthread_worker *kview_revoke_worker(void);

void kview_revoke_add_view(struct kview_view *view);
void kview_revoke_remove_view(struct kview_view *view);
void kview_revoke_opened(void);
void kview_revoke_closed(void);

u64 kview_revoke_wake(bool look);
void kview_revoke_wait(u64 event, unsigned int timeout_ms);
void kview_revoke_range(unsigned long start, unsigned long end);

bool kview_revoke_recheck(unsigned long block, enum kview_cause cause);
void kview_revoke_images(void);
void kview_revoke_all(enum kview_cause cause);

/**
 * struct kview_revoke_stats - counters since the module was loaded
 * @revoked:  blocks unmapped, by cause
 * @worst_us: longest time from a change, or from the event before it if no event follows the
 *            change, to the end of the unmapping of its block, in microseconds
 * @cpu_ns:   time that the thread has run, in nanoseconds
 */
struct kview_revoke_stats {
	u64 revoked[KVIEW_NR_CAUSES];
	u64 worst_us;
	u64 cpu_ns;
};

void kview_revoke_get_stats(struct kview_revoke_stats *stats);
void kview_revoke_account(u64 begin_ns);

#endif /* KVIEW_REVOKE_H */
