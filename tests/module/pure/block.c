// SPDX-License-Identifier: GPL-2.0-only
/* The block map: its records one by one, and the protocol of commit and event with threads. */
#include "block.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "kernel.h"
#include "page.h"
#include "tap.h"

#define BLOCK 5UL
#define FAR (3UL << 15)
#define FAULTS 4
#define CHANGES 20000

unsigned long jiffies = 1000;
static u64 now_ns = 1000;

u64 ktime_get_mono_fast_ns(void)
{
	return now_ns;
}

static bool try_commit(unsigned int generation, u64 sum)
{
	if (!kview_block_commit(BLOCK, generation, sum))
		return false;
	kview_block_done(BLOCK);
	return true;
}

static void test_commit(void)
{
	unsigned int generation = kview_block_generation(BLOCK);
	unsigned long block = 0;

	ok(!kview_block_next_mapped(&block), "no block is mapped");
	ok(try_commit(generation, KVIEW_SUM_FULL), "a first commit succeeds");
	ok(kview_block_next_mapped(&block) && block == BLOCK, "the block counts as mapped");
	is_int((long long)kview_block_nr_mapped(), 1, "one does");
	ok(try_commit(generation, KVIEW_SUM_FULL), "the same verdict succeeds");
	ok(!try_commit(generation, 77), "another verdict does not");
	ok(kview_block_event(BLOCK, KVIEW_CAUSE_POISON, false), "an event on a mapped block wakes");
	ok(!try_commit(generation, KVIEW_SUM_FULL), "then the old generation fails");
	ok(kview_block_take_back(BLOCK), "the verdict is taken back");
	ok(!kview_block_take_back(BLOCK), "once");
	is_int((long long)kview_block_nr_mapped(), 0, "none is mapped");
	ok(!kview_block_event(BLOCK, KVIEW_CAUSE_POISON, false), "an event does not wake now");
}

static void test_events(void)
{
	unsigned long block = 0;
	enum kview_cause cause;
	unsigned int left;
	u64 when;

	ok(kview_block_next_event(&block, &cause, &when) && block == BLOCK && cause == KVIEW_CAUSE_POISON,
	   "the event is there");
	block = 0;
	ok(!kview_block_next_event(&block, &cause, &when), "once");

	ok(!kview_block_event(FAR, KVIEW_CAUSE_BALLOON, true), "before a change: not mapped");
	ok(kview_block_wants_look(FAR), "but looks are wanted");
	for (int i = KVIEW_LOOKS - 1; i >= 0; i--) {
		block = 0;
		ok(kview_block_next_look(&block, &cause, &left, &when) && block == FAR &&
		   cause == KVIEW_CAUSE_BALLOON && (int)left == i, "a look, %d are left", i);
	}
	block = 0;
	ok(!kview_block_next_look(&block, &cause, &left, &when), "then none is wanted");
	ok(!kview_block_event(1UL << 30, KVIEW_CAUSE_BALLOON, true), "no record: no event");
}

/* The time of the event that the worker takes next; -1 if there is none. */
static long long taken_ns(void)
{
	unsigned long block = 0;
	enum kview_cause cause;
	u64 when;

	return kview_block_next_event(&block, &cause, &when) ? (long long)(when & ~1ULL) : -1;
}

static void event_at(u64 ns, bool before)
{
	now_ns = ns;
	kview_block_event(BLOCK, KVIEW_CAUSE_POISON, before);
}

static void test_times(void)
{
	unsigned long block;
	enum kview_cause cause;
	unsigned int left;
	u64 when;

	ok(try_commit(kview_block_generation(BLOCK), KVIEW_SUM_FULL), "mapped again");
	event_at(2000, false);
	event_at(3000, false);
	event_at(4000, true);
	is_int(taken_ns(), 2000, "the time is that of the first change");
	event_at(5000, true);
	event_at(6000, true);
	is_int(taken_ns(), 5000, "of the first event before a change");
	event_at(7000, true);
	event_at(8000, false);
	event_at(9000, false);
	block = 0;
	ok(kview_block_next_look(&block, &cause, &left, &when) && (when & ~1ULL) == 8000,
	   "a look knows it, too");
	is_int(taken_ns(), 8000, "of the change, if both have come");
	block = 0;
	ok(kview_block_next_look(&block, &cause, &left, &when) && !when, "and nothing after that");
	is_int(taken_ns(), -1, "no event is left");
	kview_block_take_back(BLOCK);
}

static void test_hold(void)
{
	ok(!kview_block_is_held(BLOCK), "a block is not held");
	kview_block_hold(BLOCK);
	ok(kview_block_is_held(BLOCK), "it is held");
	jiffies += 100;
	ok(!kview_block_is_held(BLOCK), "and not for long");
}

/*
 * Verdicts: each number is one. The changer makes a new one, announces it, and then unmaps what is
 * of another. Faults map by what they saw. After the changer is done with a change, nothing may
 * be mapped by the verdict before.
 */
static u64 truth = KVIEW_SUM_FULL;
static u64 mapped;
static bool stop;
static unsigned int nr_mapped;

static void *fault(void *arg)
{
	bool inserted = false;

	(void)arg;
	while (!inserted || !__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned int generation = kview_block_generation(BLOCK);
		u64 sum = __atomic_load_n(&truth, __ATOMIC_ACQUIRE);

		/* Long enough for a whole change in between. */
		sched_yield();
		if (!kview_block_commit(BLOCK, generation, sum))
			continue;
		__atomic_store_n(&mapped, sum, __ATOMIC_RELAXED);
		__atomic_add_fetch(&nr_mapped, 1, __ATOMIC_RELAXED);
		kview_block_done(BLOCK);
		inserted = true;
	}
	return NULL;
}

static void test_protocol(void)
{
	pthread_t threads[FAULTS];
	unsigned int stale = 0;
	u64 sum, seen;
	int i;

	for (i = 0; i < FAULTS; i++)
		pthread_create(&threads[i], NULL, fault, NULL);
	for (sum = KVIEW_SUM_FULL + 1; sum < CHANGES; sum++) {
		__atomic_store_n(&truth, sum, __ATOMIC_RELEASE);
		kview_block_event(BLOCK, KVIEW_CAUSE_DIRECT_MAP, false);
		/* As kview_revoke_recheck(): what is taken back is unmapped, by whatever verdict it is. */
		seen = kview_block_sum(BLOCK);
		if (seen != KVIEW_SUM_NONE && seen != sum && kview_block_take_back(BLOCK))
			__atomic_store_n(&mapped, KVIEW_SUM_NONE, __ATOMIC_SEQ_CST);
		sched_yield();
		seen = __atomic_load_n(&mapped, __ATOMIC_SEQ_CST);
		stale += seen != KVIEW_SUM_NONE && seen != sum;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < FAULTS; i++)
		pthread_join(threads[i], NULL);
	is_int(stale, 0, "%d changes beside %d faults: nothing is mapped by an old verdict", CHANGES,
	       FAULTS);
	ok(nr_mapped > 0, "%u insertions", nr_mapped);
}

int main(void)
{
	if (kview_block_init(46))
		bail("out of memory");
	is_int(kview_block_add_range(0, (FAR + 1) << KVIEW_BLOCK_SHIFT), 0, "records for a range");
	test_commit();
	test_events();
	test_times();
	test_hold();
	test_protocol();
	kview_block_exit();
	return finish();
}
