/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers that reads are answered from. A request may ask for 1 MiB, so a buffer for each thread
 * would be most of the daemon's memory. Large reads of sources that are fast share two, and wait
 * for one for the short time that a read takes.
 *
 * A buffer that is held for longer than KVFS_READBUF_SLOW_MS does not count: its source is slow or
 * hangs, and another is made in its place. So no read waits for a source that hangs. Such a
 * buffer takes address space but no memory until the source fills it; lanes.h bounds how many
 * there are. Small reads have buffers of their own, and never wait.
 */
#ifndef KVFS_FUSE_READBUF_H
#define KVFS_FUSE_READBUF_H

#include <stddef.h>

/* Longest read that is ever asked for, bytes: the mount option max_read. */
#define KVFS_READBUF_MAX (1024 * 1024)

#define KVFS_READBUF_SLOW_MS 20

struct kvfs_readbuf {
	void *mem;		/* NULL: out of memory */
	struct large *large;	/* private; NULL: mem is of malloc(3) */
};

/*
 * Returns a buffer of at least len bytes, len <= KVFS_READBUF_MAX, which goes back with
 * kvfs_readbuf_put(). Any number of threads may call both.
 */
struct kvfs_readbuf kvfs_readbuf_get(size_t len);
void kvfs_readbuf_put(struct kvfs_readbuf buf);

/* Frees the shared buffers. None may be in use. */
void kvfs_readbuf_deinit(void);

#endif /* KVFS_FUSE_READBUF_H */
