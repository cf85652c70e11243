/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The block map: a record for each block of RAM with the verdict by which it is mapped.
 *
 * All entries of a block, in all views and processes, are inserted by one verdict, the one in
 * its record. The rules are those of KVM's mmu_invalidate_seq:
 *
 * - A fault reads the generation of the block, judges it without any lock, and inserts between
 *   kview_block_commit() and kview_block_done(), a spinlock that is held for one insertion. The
 *   commit fails if the generation has moved or the record has another verdict.
 * - An event that may change a verdict moves the generation first and then looks whether the
 *   block is mapped; a commit notes that it is mapped first and then looks at the generation.
 *   So one of them sees the other.
 * - The worker judges mapped blocks again. If the verdict differs, it takes the record back,
 *   which moves the generation, and then unmaps the block. What was inserted before is found;
 *   nothing can be inserted by the old verdict after.
 *
 * A slow or throttled fault holds nothing while it judges, so it delays no other process.
 */
#ifndef KVIEW_BLOCK_H
#define KVIEW_BLOCK_H

#include <linux/types.h>

/**
 * enum kview_cause - what made the worker judge a block again
 * @KVIEW_CAUSE_DIRECT_MAP: the direct map changed: memfd_secret, set_memory_np()
 * @KVIEW_CAUSE_POISON:     memory failure or soft offline
 * @KVIEW_CAUSE_BALLOON:    PageOffline: balloons, virtio-mem
 * @KVIEW_CAUSE_MEMTYPE:    another memory type
 * @KVIEW_CAUSE_OFFLINE:    memory goes offline or comes online
 * @KVIEW_CAUSE_BACKSTOP:   the periodic look
 * @KVIEW_CAUSE_CONFLICT:   a fault judged otherwise than the record
 */
enum kview_cause {
	KVIEW_CAUSE_DIRECT_MAP,
	KVIEW_CAUSE_POISON,
	KVIEW_CAUSE_BALLOON,
	KVIEW_CAUSE_MEMTYPE,
	KVIEW_CAUSE_OFFLINE,
	KVIEW_CAUSE_BACKSTOP,
	KVIEW_CAUSE_CONFLICT,
	KVIEW_NR_CAUSES,
};

int kview_block_init(unsigned int paddr_bits);
void kview_block_exit(void);
int kview_block_add_range(unsigned long start, unsigned long end);

unsigned int kview_block_generation(unsigned long block);
bool kview_block_is_held(unsigned long block);
bool kview_block_commit(unsigned long block, unsigned int generation, u64 sum);
bool kview_block_wants_look(unsigned long block);
void kview_block_done(unsigned long block);

/* How often a block is judged after an event that came before its change, besides at once. */
#define KVIEW_LOOKS 3

bool kview_block_event(unsigned long block, enum kview_cause cause, bool before);
void kview_block_hold(unsigned long block);

u64 kview_block_sum(unsigned long block);
bool kview_block_take_back(unsigned long block);
bool kview_block_next_mapped(unsigned long *block);
bool kview_block_next_event(unsigned long *block, enum kview_cause *cause, u64 *when);
bool kview_block_next_look(unsigned long *block, enum kview_cause *cause, unsigned int *left,
			   u64 *when);
unsigned long kview_block_nr_mapped(void);

#endif /* KVIEW_BLOCK_H */
