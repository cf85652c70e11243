/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers that reads are answered from. A request may ask for 1 MiB, so a buffer for each
 * thread would be most of the daemon's memory; a few are shared, and who finds all of them
 * taken waits for the short time that a read takes. Small reads have small buffers of their
 * own, and never wait.
 */
#ifndef KVFS_FUSE_READBUF_H
#define KVFS_FUSE_READBUF_H

#include <stddef.h>

/* Longest read that is ever asked for, bytes: the mount option max_read. */
#define KVFS_READBUF_MAX (1024 * 1024)

struct kvfs_readbuf {
	void *mem;		/* NULL: out of memory */
	int index;		/* of a shared buffer; -1: mem is of malloc(3) */
};

/*
 * A buffer of at least len bytes, len <= KVFS_READBUF_MAX. It goes back with put, soon, and
 * from the same thread. Any number of threads may call this.
 */
struct kvfs_readbuf kvfs_readbuf_get(size_t len);
void kvfs_readbuf_put(struct kvfs_readbuf buf);

/* Frees the shared buffers. None may be in use. */
void kvfs_readbuf_deinit(void);

#endif /* KVFS_FUSE_READBUF_H */
