/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several reads in one submission: io_uring where the kernel has it and allows it, plain
 * pread(2) one after another where not. Same interface, same results. No other file uses
 * liburing.
 */
#ifndef KVFS_EXTENT_URING_H
#define KVFS_EXTENT_URING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One read. buf is borrowed until the batch is over. */
struct kvfs_uring_read {
	int fd;
	void *buf;
	size_t len;		/* bytes */
	uint64_t off;
	ssize_t result;		/* out: as kvfs_io_pread() would return (io.h) */
};

/* Most reads that are on their way at a time; a longer batch is done in pieces of so many. */
#define KVFS_URING_DEPTH 64

/*
 * Whether io_uring can be used: probed once, at the first call, by setting up a ring, and
 * false for good once a ring has failed in use (nothing is lost then: pread(2) carries on).
 * *reason, if not NULL, becomes a constant text that says why not, or NULL if it can.
 */
bool kvfs_uring_available(const char **reason);

/* Never use io_uring from now on (option nouring, tests); batches under way finish as they are. */
void kvfs_uring_disable(void);

/*
 * Does all n reads and waits for them; each has its own result. Reads of one descriptor run
 * one after another, in the order given, because two readers of one /proc/kcore descriptor
 * get wrong bytes (its bounce buffer belongs to the descriptor; all kernels to 7.3 at least);
 * those of different descriptors run side by side. Short reads are carried on with.
 * A batch is lent a ring, and as many rings are kept as batches ran at once, 8 at most, so that
 * none is set up for each batch. Any number of threads may call this.
 * A batch of one, or of one descriptor, is plain pread(2): nothing could go side by side.
 */
void kvfs_uring_read_batch(struct kvfs_uring_read *reads, size_t n);

#endif /* KVFS_EXTENT_URING_H */
