// SPDX-License-Identifier: GPL-2.0-only
#include "backstop.h"

#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/timekeeping.h>

#include "block.h"
#include "compat.h"
#include "event.h"
#include "kview.h"
#include "page.h"
#include "revoke.h"

#define PERIOD_MIN_MS 50
#define PERIOD_MAX_MS 60000
/* The bound for the direct map, and for classes without a hook. */
#define SHORT_MS 1000
/* Classes that only a pass over struct pages can make up for. */
#define PASS_CLASSES (KVIEW_EVENT_POISON | KVIEW_EVENT_BALLOON)
/* Longest time that a pass runs without a rest. */
#define SLICE_NS (500 * NSEC_PER_USEC)

static unsigned int revalidate_ms = 10000;
static unsigned int revalidate_cpu = 1;

static void kview_backstop_run(struct kthread_work *work);
static DEFINE_KTHREAD_DELAYED_WORK(run_work, kview_backstop_run);
static bool armed;

/**
 * struct pass - a pass over all mapped blocks; only the thread uses it
 * @running:  the pass is under way
 * @next:     the next block to judge
 * @begin:    when the pass under way, or the last one, began, in nanoseconds
 * @direct:   when the direct map was looked at last
 * @counters: the kernel's counters at that time
 */
struct pass {
	bool running;
	unsigned long next;
	u64 begin;
	u64 direct;
	unsigned long counters;
};

static struct pass pass;

static unsigned int last_pass_ms, last_late_ms;
static u64 nr_passes;

static unsigned int period_ms(void)
{
	unsigned int ms = READ_ONCE(revalidate_ms);

	return kview_event_missing() & PASS_CLASSES ? min(ms, SHORT_MS) : ms;
}

static unsigned int direct_ms(void)
{
	return min_t(unsigned int, READ_ONCE(revalidate_ms), SHORT_MS);
}

static u64 ms_since(u64 begin, u64 now)
{
	return div_u64(now - begin, NSEC_PER_MSEC);
}

/**
 * kview_backstop_get_stats - report what the backstop does
 * @stats: filled in
 */
void kview_backstop_get_stats(struct kview_backstop_stats *stats)
{
	stats->period_ms = period_ms();
	stats->direct_ms = direct_ms();
	stats->pass_ms = READ_ONCE(last_pass_ms);
	stats->late_ms = READ_ONCE(last_late_ms);
	stats->passes = READ_ONCE(nr_passes);
}

/**
 * kview_backstop_arm - have mapped blocks looked at from now on
 *
 * Called after each insertion. Does nothing if the backstop is running.
 */
void kview_backstop_arm(void)
{
	/* Pairs with the barrier in kview_backstop_rest(). */
	smp_mb();
	if (READ_ONCE(armed))
		return;
	WRITE_ONCE(armed, true);
	kthread_queue_delayed_work(kview_revoke_worker(), &run_work,
				   msecs_to_jiffies(direct_ms() / 2));
}

/* Ends the runs if no block is mapped. Returns true if none is. */
static bool kview_backstop_rest(void)
{
	if (kview_block_nr_mapped())
		return false;
	WRITE_ONCE(armed, false);
	/* Pairs with the barrier in kview_backstop_arm(). */
	smp_mb();
	if (kview_block_nr_mapped()) {
		WRITE_ONCE(armed, true);
		return false;
	}
	pass.running = false;
	pass.begin = 0;
	pass.direct = 0;
	WRITE_ONCE(last_late_ms, 0);
	return true;
}

/* Looks at the direct map for all mapped blocks; judges whatever has no simple answer. */
static void look_at_direct_map(void)
{
	unsigned long block = 0, next, nr;

	while (kview_block_next_mapped(&block)) {
		if (kview_block_sum(block) != KVIEW_SUM_FULL) {
			kview_revoke_recheck(block++, KVIEW_CAUSE_BACKSTOP);
			continue;
		}
		/* The run of such blocks that begins here. */
		for (next = block + 1, nr = next; next - block < KVIEW_BLOCK_PAGES; nr = ++next)
			if (!kview_block_next_mapped(&nr) || nr != next ||
			    kview_block_sum(next) != KVIEW_SUM_FULL)
				break;
		nr = kview_page_in_direct_map(block, next - block);
		block += nr;
		if (block < next)
			kview_revoke_recheck(block++, KVIEW_CAUSE_BACKSTOP);
	}
}

/* Judges blocks until @end or the end of the pass. */
static void run_pass(u64 end)
{
	u64 now;

	do {
		if (!kview_block_next_mapped(&pass.next)) {
			now = ktime_get_ns();
			pass.running = false;
			WRITE_ONCE(last_pass_ms, ms_since(pass.begin, now));
			WRITE_ONCE(nr_passes, nr_passes + 1);
			return;
		}
		kview_revoke_recheck(pass.next++, KVIEW_CAUSE_BACKSTOP);
	} while (ktime_get_ns() < end);
}

/* Begins a pass if it is time. A pass begins early enough to end in time if it is short. */
static void begin_pass(u64 now, bool counters_moved)
{
	if (pass.running ||
	    (pass.begin && !counters_moved && ms_since(pass.begin, now) < period_ms() / 4 * 3))
		return;
	pass.running = true;
	pass.next = 0;
	pass.begin = now;
	kview_revoke_images();
}

/* Notes how late the pass is. Unmaps everything if that breaks the bound of a class. */
static void check_late(u64 now)
{
	u64 ms = ms_since(pass.begin, now);
	unsigned int late = ms > period_ms() / 4 ? ms - period_ms() / 4 : 0;

	if (pass.running || late)
		WRITE_ONCE(last_late_ms, late);
	if (!pass.running || !late || !(kview_event_missing() & PASS_CLASSES))
		return;
	kview_revoke_all(KVIEW_CAUSE_BACKSTOP);
	pass.running = false;
}

static void kview_backstop_run(struct kthread_work *work)
{
	u64 begin = ktime_get_ns(), spent_ms, delay_ms;
	bool moved = false;

	if (kview_backstop_rest())
		return;
	if (ms_since(pass.direct, begin) >= direct_ms() / 4 * 3) {
		unsigned long counters = kview_compat_counters();

		moved = counters != pass.counters;
		pass.counters = counters;
		pass.direct = begin;
		kview_event_check();
		look_at_direct_map();
	}
	begin_pass(begin, moved);
	if (pass.running)
		run_pass(ktime_get_ns() + SLICE_NS);
	check_late(ktime_get_ns());
	kview_revoke_account(begin);

	spent_ms = div_u64((ktime_get_ns() - begin) * 100, READ_ONCE(revalidate_cpu)) /
		   NSEC_PER_MSEC;
	delay_ms = direct_ms() / 4 * 3;
	if (pass.running)
		delay_ms = min(delay_ms, spent_ms);
	kthread_queue_delayed_work(kview_revoke_worker(), &run_work,
				   msecs_to_jiffies(max_t(u64, delay_ms, 1)));
}

static int kview_backstop_set_param(const char *val, const struct kernel_param *kp)
{
	int ret = kp->arg == &revalidate_ms ?
		  param_set_uint_minmax(val, kp, PERIOD_MIN_MS, PERIOD_MAX_MS) :
		  param_set_uint_minmax(val, kp, 1, 100);

	/* The next run is now: no run that was planned by the old value is waited for. */
	if (!ret && READ_ONCE(armed))
		kthread_mod_delayed_work(kview_revoke_worker(), &run_work, 0);
	return ret;
}

static const struct kernel_param_ops param_ops = {
	.set = kview_backstop_set_param,
	.get = param_get_uint,
};
module_param_cb(revalidate_ms, &param_ops, &revalidate_ms, 0644);
MODULE_PARM_DESC(revalidate_ms,
		 "longest time in ms between two looks at a mapped page (50-60000, default 10000)");
module_param_cb(revalidate_cpu, &param_ops, &revalidate_cpu, 0644);
MODULE_PARM_DESC(revalidate_cpu,
		 "time that these looks may take, in percent of one CPU (1-100, default 1)");

/** kview_backstop_exit - stop. No view is left. */
void kview_backstop_exit(void)
{
	kthread_cancel_delayed_work_sync(&run_work);
}
