/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The address space of a process, held while a file of pid/ is open.
 *
 * A process gets a new address space when it executes a program, and loses it when it exits.
 * To show parts of two as one file would be wrong, so an open file belongs to the one that
 * the process had when it was opened; later there is nothing behind it any more: ESRCH. A
 * descriptor of /proc/N/pagemap is tied to an address space in this way and is what the end
 * is seen by: it keeps nothing of the memory alive, and stops to deliver.
 *
 * It is not what data is read from. A child of vfork(2) has its parent's address space, and
 * the descriptor would go on to show the parent's memory once the child has gone its own
 * way. Everything is opened anew for each read, through the directory of the process, so
 * that it is always the process's own. What has become of it is seen by the auxiliary vector,
 * in which every exec puts random addresses (unless that is turned off), because the descriptor
 * does not stop to deliver while anybody else uses the old address space.
 */
#ifndef KVFS_PID_MM_H
#define KVFS_PID_MM_H

#include <stdint.h>
#include <sys/types.h>

#include "pid/process.h"

struct kvfs_mm {
	int dir;		/* the process (kvfs_process_open()); borrow it for procfs.h and others */
	int anchor;		/* its pagemap, at the time of open */
	uint64_t nr_pages;	/* of the address space, used or not */
	char auxv[512];		/* its first bytes: addresses that each exec draws anew */
	size_t auxv_len;	/* 0: not known */
};

/*
 * Returns 0, -ENOENT if the process has gone or has no address space (kernel threads, zombies),
 * or -errno. *out is the caller's to close.
 */
int kvfs_mm_open(const struct kvfs_process_id *id, struct kvfs_mm *out);
void kvfs_mm_close(struct kvfs_mm *mm);

/*
 * Remembers what tells the address space from the next one: 0, -ENOENT, or -errno. For what
 * is going to be read from.
 */
int kvfs_mm_remember(struct kvfs_mm *mm);

/*
 * Whether the address space is still there: 0, or -ESRCH. It may be there because another
 * process uses it, and be the process's own no more.
 */
int kvfs_mm_check(const struct kvfs_mm *mm);

/*
 * Whether it is there and the process's own: 0, -ESRCH, or -errno; it has been remembered. What
 * was read before and not found to be gone after is right.
 */
int kvfs_mm_check_own(const struct kvfs_mm *mm);

/* Pages in all mappings together, from /proc/N/statm. 0, -ESRCH, or -errno. */
int kvfs_mm_mapped_pages(const struct kvfs_mm *mm, uint64_t *nr_pages);

/* As kvfs_pagemap_read() (pagemap.h), of the address space as it is now. */
ssize_t kvfs_mm_read_pagemap(const struct kvfs_mm *mm, void *buf, size_t len, uint64_t off);

#endif /* KVFS_PID_MM_H */
