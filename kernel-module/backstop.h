/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backstop: mapped blocks are judged again, in place, whether there was an event or not.
 * It runs in the thread of revoke.c while blocks are mapped, and not otherwise.
 *
 * | what is looked at | how often | cost |
 * |---|---|---|
 * | the direct map | once a second, or revalidate_ms if that is less | one look-up for 512 blocks at best |
 * | every struct page | within revalidate_ms, or at once when the kernel's counters move | within revalidate_cpu |
 *
 * If a class of events has no hook, struct pages are looked at once a second at the latest, and
 * if the time that revalidate_cpu gives is too short, everything is unmapped instead.
 */
#ifndef KVIEW_BACKSTOP_H
#define KVIEW_BACKSTOP_H

#include <linux/types.h>

void kview_backstop_exit(void);
void kview_backstop_arm(void);

/**
 * struct kview_backstop_stats - what the backstop does
 * @period_ms: longest time between two looks at a mapped page's struct page, as configured
 * @direct_ms: the same for the direct map
 * @pass_ms:   time that the last pass over all struct pages took
 * @late_ms:   how late the last pass, or the one under way, is
 * @passes:    passes that have ended
 */
struct kview_backstop_stats {
	unsigned int period_ms;
	unsigned int direct_ms;
	unsigned int pass_ms;
	unsigned int late_ms;
	u64 passes;
};

void kview_backstop_get_stats(struct kview_backstop_stats *stats);

#endif /* KVIEW_BACKSTOP_H */
