// SPDX-License-Identifier: GPL-2.0-only
#include "block.h"

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "page.h"

/*
 * Records are in chunks of 64 GiB, some 850 KiB each. A chunk is allocated when the module is
 * loaded or its first memory comes online, and freed when the module is unloaded.
 */
#define CHUNK_SHIFT 15
#define CHUNK_BLOCKS (1UL << CHUNK_SHIFT)
/* How long faults wait after the kernel has begun to put a page back into the direct map. */
#define HOLD_MS 10

/**
 * struct record - the record of a block
 * @sum:        KVIEW_SUM_NONE if the block is not mapped, else the sum of the verdict by which
 *              it is; under the block's lock
 * @generation: moves when the verdict may have changed
 * @hold:       faults wait until jiffies has this value; 0 if they need not
 */
struct record {
	u64 sum;
	atomic_t generation;
	u32 hold;
};

/**
 * struct chunk - records of consecutive blocks
 * @mapped: blocks whose sum is not KVIEW_SUM_NONE; changed under the block's lock
 * @dirty:  blocks with an event that the worker has not seen
 * @again:  blocks that the worker judges again later, as the event came before the change
 * @cause:  enum kview_cause of the last event
 * @looks:  how often the worker still judges a block in @again
 * @when:   for a block in @dirty, when the change happened, in nanoseconds; the lowest bit is
 *          set if only an event before the change is known
 * @record: the records
 */
struct chunk {
	DECLARE_BITMAP(mapped, CHUNK_BLOCKS);
	DECLARE_BITMAP(dirty, CHUNK_BLOCKS);
	DECLARE_BITMAP(again, CHUNK_BLOCKS);
	u8 cause[CHUNK_BLOCKS];
	u8 looks[CHUNK_BLOCKS];
	u64 when[CHUNK_BLOCKS];
	struct record record[CHUNK_BLOCKS];
};

static struct chunk **chunks;
static unsigned long nr_chunks;
/* Held to add chunks. */
static DEFINE_MUTEX(chunks_lock);
static atomic_long_t nr_mapped;

/*
 * For blocks without a record, where no page is visible: their generation moves when a chunk
 * is added, so that no fault inserts zeros by a verdict from before.
 */
static struct record nowhere;

#define LOCK_BITS 8
static spinlock_t locks[1 << LOCK_BITS];

static spinlock_t *lock_of(unsigned long block)
{
	return &locks[block & (ARRAY_SIZE(locks) - 1)];
}

static struct chunk *chunk_of(unsigned long block)
{
	unsigned long i = block >> CHUNK_SHIFT;

	return i < nr_chunks ? smp_load_acquire(&chunks[i]) : NULL;
}

static struct record *record_of(unsigned long block)
{
	struct chunk *chunk = chunk_of(block);

	return chunk ? &chunk->record[block % CHUNK_BLOCKS] : &nowhere;
}

/**
 * kview_block_add_range - have records for the blocks of a range
 * @start: first page frame number
 * @end:   the one after the last
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kview_block_add_range(unsigned long start, unsigned long end)
{
	unsigned long i, last = ((end - 1) >> KVIEW_BLOCK_SHIFT) >> CHUNK_SHIFT;
	struct chunk *chunk;
	int ret = 0;

	mutex_lock(&chunks_lock);
	for (i = (start >> KVIEW_BLOCK_SHIFT) >> CHUNK_SHIFT; i <= last && i < nr_chunks; i++) {
		if (chunks[i])
			continue;
		chunk = kvzalloc(sizeof(*chunk), GFP_KERNEL);
		if (!chunk) {
			ret = -ENOMEM;
			break;
		}
		smp_store_release(&chunks[i], chunk);
	}
	atomic_inc(&nowhere.generation);
	mutex_unlock(&chunks_lock);
	return ret;
}

/**
 * kview_block_generation - begin to judge a block for a mapping
 * @block: its number
 *
 * Return: what kview_block_commit() compares.
 */
unsigned int kview_block_generation(unsigned long block)
{
	return atomic_read_acquire(&record_of(block)->generation);
}

/** kview_block_is_held - tells whether faults must wait; see kview_block_hold() */
bool kview_block_is_held(unsigned long block)
{
	u32 hold = READ_ONCE(record_of(block)->hold);

	return hold && (s32)(hold - (u32)jiffies) > 0;
}

static void set_sum(struct chunk *chunk, unsigned long i, u64 sum)
{
	chunk->record[i].sum = sum;
	if (sum != KVIEW_SUM_NONE) {
		set_bit(i, chunk->mapped);
		atomic_long_inc(&nr_mapped);
	} else {
		clear_bit(i, chunk->mapped);
		atomic_long_dec(&nr_mapped);
	}
}

/**
 * kview_block_commit - begin to insert pages of a block
 * @block:      its number
 * @generation: from kview_block_generation(), called before the block was judged
 * @sum:        the sum of the verdict
 *
 * Return: true if the verdict is in force, and stays so until kview_block_done(), in between
 * the caller must not sleep; false if the block must be judged again. Then an event is on its
 * way to the worker if the record has another verdict.
 */
bool kview_block_commit(unsigned long block, unsigned int generation, u64 sum)
{
	struct chunk *chunk = chunk_of(block);
	struct record *record = record_of(block);
	unsigned long i = block % CHUNK_BLOCKS;
	bool differs = false, first = false;

	spin_lock(lock_of(block));
	if (chunk) {
		first = record->sum == KVIEW_SUM_NONE;
		if (first)
			set_sum(chunk, i, sum);
		differs = record->sum != sum;
		/* Pairs with the barrier in kview_block_event(). */
		smp_mb();
	}
	if (!differs && (unsigned int)atomic_read(&record->generation) == generation)
		return true;
	/* Nothing is mapped by this verdict. */
	if (first)
		set_sum(chunk, i, KVIEW_SUM_NONE);
	spin_unlock(lock_of(block));
	return false;
}

/** kview_block_done - end what a successful kview_block_commit() began */
void kview_block_done(unsigned long block)
{
	spin_unlock(lock_of(block));
}

/*
 * Keeps the time of the first change that the worker has not seen. An event before the change
 * gives way to the first one after it, as the worker cannot unmap what is still visible.
 */
static void note_time(struct chunk *chunk, unsigned long i, bool before)
{
	if (!test_bit(i, chunk->dirty) || (!before && READ_ONCE(chunk->when[i]) & 1))
		WRITE_ONCE(chunk->when[i], (ktime_get_mono_fast_ns() & ~1ULL) | before);
}

/**
 * kview_block_event - note that the verdict on a block may change
 * @block:  its number; any
 * @cause:  why
 * @before: the change is still to come, so that the worker must judge more than once
 *
 * Context: any but NMI.
 * Return: true if the block is mapped, and the worker must be woken.
 */
bool kview_block_event(unsigned long block, enum kview_cause cause, bool before)
{
	struct chunk *chunk = chunk_of(block);
	unsigned long i = block % CHUNK_BLOCKS;

	if (!chunk)
		return false;
	atomic_inc(&chunk->record[i].generation);
	WRITE_ONCE(chunk->cause[i], cause);
	if (before) {
		WRITE_ONCE(chunk->looks[i], KVIEW_LOOKS);
		set_bit(i, chunk->again);
	}
	/* Pairs with the barrier in kview_block_commit(). */
	smp_mb();
	if (!test_bit(i, chunk->mapped))
		return false;
	note_time(chunk, i, before);
	set_bit(i, chunk->dirty);
	return true;
}

/**
 * kview_block_wants_look - tell whether the verdict may change soon without an event
 * @block: a block that is committed
 *
 * Return: true if an event came before its change. The caller has the worker look again.
 */
bool kview_block_wants_look(unsigned long block)
{
	struct chunk *chunk = chunk_of(block);

	return chunk && test_bit(block % CHUNK_BLOCKS, chunk->again);
}

/**
 * kview_block_hold - make faults in a block wait for a moment
 * @block: its number; any
 *
 * secretmem_free_folio() puts a page back into the direct map before it clears it. The page
 * must not be mapped in between.
 *
 * Context: any but NMI.
 */
void kview_block_hold(unsigned long block)
{
	struct chunk *chunk = chunk_of(block);

	if (chunk)
		WRITE_ONCE(chunk->record[block % CHUNK_BLOCKS].hold,
			   ((u32)jiffies + 1 + msecs_to_jiffies(HOLD_MS)) | 1);
}

/** kview_block_sum - the sum of the verdict by which a block is mapped, or KVIEW_SUM_NONE */
u64 kview_block_sum(unsigned long block)
{
	return READ_ONCE(record_of(block)->sum);
}

/**
 * kview_block_take_back - make a verdict void; the caller then unmaps the block
 * @block: its number
 *
 * Return: true if the block was mapped.
 */
bool kview_block_take_back(unsigned long block)
{
	struct chunk *chunk = chunk_of(block);
	unsigned long i = block % CHUNK_BLOCKS;
	bool mapped;

	if (!chunk)
		return false;
	spin_lock(lock_of(block));
	atomic_inc(&chunk->record[i].generation);
	mapped = chunk->record[i].sum != KVIEW_SUM_NONE;
	if (mapped)
		set_sum(chunk, i, KVIEW_SUM_NONE);
	spin_unlock(lock_of(block));
	return mapped;
}

/* The first block from *block on whose bit is set in the bitmap at @offset of its chunk. */
static bool next_in(size_t offset, unsigned long *block)
{
	unsigned long c = *block >> CHUNK_SHIFT, i = *block % CHUNK_BLOCKS;

	for (; c < nr_chunks; c++, i = 0) {
		struct chunk *chunk = smp_load_acquire(&chunks[c]);

		if (!chunk)
			continue;
		i = find_next_bit((const unsigned long *)((const char *)chunk + offset), CHUNK_BLOCKS, i);
		if (i < CHUNK_BLOCKS) {
			*block = (c << CHUNK_SHIFT) + i;
			return true;
		}
	}
	return false;
}

/**
 * kview_block_next_mapped - find a block that is mapped
 * @block: where to begin; set to the first such block from there on
 *
 * Return: false if there is none.
 */
bool kview_block_next_mapped(unsigned long *block)
{
	return next_in(offsetof(struct chunk, mapped), block);
}

/**
 * kview_block_next_event - take an event
 * @block: where to begin; set to the first block from there on with an event, which it has no
 *         longer
 * @cause: set to the cause
 * @when:  set to the time of the change, or if only the event before it is known, of that, in
 *         nanoseconds
 *
 * Return: false if there is none.
 */
bool kview_block_next_event(unsigned long *block, enum kview_cause *cause, u64 *when)
{
	while (next_in(offsetof(struct chunk, dirty), block)) {
		struct chunk *chunk = chunk_of(*block);
		unsigned long i = *block % CHUNK_BLOCKS;

		*cause = READ_ONCE(chunk->cause[i]);
		*when = READ_ONCE(chunk->when[i]);
		/* Atomic with a full barrier: a later event sets the bit again. */
		if (test_and_clear_bit(i, chunk->dirty))
			return true;
	}
	return false;
}

/**
 * kview_block_next_look - find a block to judge again after an event before the change
 * @block: where to begin; set to the first such block from there on
 * @cause: set to the cause of the event
 * @left:  set to the number of looks that are left after this one
 * @when:  set as by kview_block_next_event() if the block has an event besides, else to 0
 *
 * Return: false if there is none.
 */
bool kview_block_next_look(unsigned long *block, enum kview_cause *cause, unsigned int *left,
			   u64 *when)
{
	struct chunk *chunk;
	unsigned long i;

	if (!next_in(offsetof(struct chunk, again), block))
		return false;
	chunk = chunk_of(*block);
	i = *block % CHUNK_BLOCKS;
	*cause = READ_ONCE(chunk->cause[i]);
	*left = READ_ONCE(chunk->looks[i]);
	*when = test_bit(i, chunk->dirty) ? READ_ONCE(chunk->when[i]) : 0;
	if (*left > 1) {
		WRITE_ONCE(chunk->looks[i], --*left);
		return true;
	}
	*left = 0;
	clear_bit(i, chunk->again);
	/* An event between the read of looks and the clearing has set it to more. */
	smp_mb__after_atomic();
	if (READ_ONCE(chunk->looks[i]) > 1)
		set_bit(i, chunk->again);
	else
		WRITE_ONCE(chunk->looks[i], 0);
	return true;
}

/** kview_block_nr_mapped - number of blocks that have a verdict */
unsigned long kview_block_nr_mapped(void)
{
	return atomic_long_read(&nr_mapped);
}

/**
 * kview_block_init - allocate the block map, without records
 * @paddr_bits: bits of the largest physical address
 *
 * Return: 0 or -ENOMEM; kview_block_exit() is due only after 0.
 */
int kview_block_init(unsigned int paddr_bits)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(locks); i++)
		spin_lock_init(&locks[i]);
	nr_chunks = 1UL << (paddr_bits - PAGE_SHIFT - KVIEW_BLOCK_SHIFT - CHUNK_SHIFT);
	chunks = kvcalloc(nr_chunks, sizeof(*chunks), GFP_KERNEL);
	return chunks ? 0 : -ENOMEM;
}

/** kview_block_exit - free the block map */
void kview_block_exit(void)
{
	unsigned long i;

	for (i = 0; i < nr_chunks; i++)
		kvfree(chunks[i]);
	kvfree(chunks);
}
