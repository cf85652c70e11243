/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bounded cache of what is dear to make: chunks of equal length, made on demand by whoever
 * asks first, and ahead of a reader who goes through them in order by threads of the cache's
 * own, so that several are made at a time.
 */
#ifndef KVFS_DUMP_CHUNKCACHE_H
#define KVFS_DUMP_CHUNKCACHE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a chunk, and of the blocks it is made of, each of which can be bad. */
#define KVFS_CHUNK_LEN (64 * 1024)
#define KVFS_CHUNK_BLOCK_LEN 4096
#define KVFS_CHUNK_BLOCKS (KVFS_CHUNK_LEN / KVFS_CHUNK_BLOCK_LEN)

/*
 * Makes chunk nr, the bytes from nr * KVFS_CHUNK_LEN on, in buf. Returns a mask of the blocks
 * that are bad. Called by several threads at a time, for different chunks.
 */
typedef uint32_t (*kvfs_chunkcache_fill_fn)(void *arg, uint64_t nr, unsigned char *buf);

struct kvfs_chunkcache;		/* opaque; any number of threads may use it */

/*
 * max_len: bytes that chunks may take together; a few more where many threads read at once.
 * nr_chunks: chunks that exist. threads: those that work ahead, 0 for none; they are started
 * by the first read. Returns NULL if out of memory.
 */
struct kvfs_chunkcache *kvfs_chunkcache_create(size_t max_len, uint64_t nr_chunks,
					       unsigned int threads, kvfs_chunkcache_fill_fn fill,
					       void *arg);

/* Nobody may be reading. NULL is allowed. */
void kvfs_chunkcache_destroy(struct kvfs_chunkcache *cache);

/*
 * Copies [off, off + len), which lies inside the chunks that exist. Returns 0, -EIO if any of
 * it is in a bad block, in which case buf has what is good, or -ENOMEM.
 */
int kvfs_chunkcache_read(struct kvfs_chunkcache *cache, void *buf, size_t len, uint64_t off);

#endif /* KVFS_DUMP_CHUNKCACHE_H */
