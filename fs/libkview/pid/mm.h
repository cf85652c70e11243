/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The address space of a process, for as long as a file of pid/ is open.
 *
 * A process gets a new address space when it executes a program, and loses it when it exits. A
 * file that showed parts of two would be wrong, so an open file belongs to the address space that
 * the process had at open(2); once that is gone, everything fails with ESRCH. The anchor, a
 * descriptor of /proc/N/pagemap, is bound to an address space in this way: it keeps no memory
 * alive, and reads of it return nothing once the address space is gone.
 *
 * Data is not read through the anchor. A child of vfork(2) shares its parent's address space, and
 * the anchor would go on to show the parent's memory after the child has executed a program.
 * Each read opens its files through the directory of the process instead. Whether the process
 * still has the same address space shows in its auxiliary vector, for which each exec draws random
 * addresses (unless randomize_va_space is 0); the anchor does not end while another process uses
 * the old address space.
 */
#ifndef KVFS_PID_MM_H
#define KVFS_PID_MM_H

#include <stdint.h>
#include <sys/types.h>

#include "pid/process.h"

struct kvfs_mm {
	int dir;		/* the process, as kvfs_process_open() returned it; others borrow it */
	int anchor;		/* its pagemap at the time of open */
	uint64_t nr_pages;	/* of the address space, used or not */
	char auxv[512];		/* first bytes of the auxiliary vector */
	size_t auxv_len;	/* bytes in auxv; 0: not known */
};

/*
 * Opens the address space that a process has now. Returns 0 and *out for the caller to close,
 * -ENOENT if the process has gone or has none (kernel threads, zombies), or -errno.
 */
int kvfs_mm_open(const struct kvfs_process_id *id, struct kvfs_mm *out);
void kvfs_mm_close(struct kvfs_mm *mm);

/*
 * Remembers the auxiliary vector, which kvfs_mm_check_own() needs. Returns 0, -ENOENT if the
 * process has gone, or -errno.
 */
int kvfs_mm_remember(struct kvfs_mm *mm);

/*
 * Checks that the address space still exists: 0, -ESRCH, or -errno. It also exists while only
 * another process uses it.
 */
int kvfs_mm_check(const struct kvfs_mm *mm);

/*
 * Checks that the address space exists and is the process's own: 0, -ESRCH, or -errno. If this
 * returns 0 after a read, the bytes that were read belong to it. kvfs_mm_remember() comes first.
 */
int kvfs_mm_check_own(const struct kvfs_mm *mm);

/* Counts the pages of all mappings together, by /proc/N/statm. Returns 0, -ESRCH, or -errno. */
int kvfs_mm_mapped_pages(const struct kvfs_mm *mm, uint64_t *nr_pages);

/* As kvfs_pagemap_read(), of the address space that the process has now. */
ssize_t kvfs_mm_read_pagemap(const struct kvfs_mm *mm, void *buf, size_t len, uint64_t off);

#endif /* KVFS_PID_MM_H */
