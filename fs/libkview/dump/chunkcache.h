/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounded cache of fixed-size chunks that are expensive to produce. The thread that asks for a
 * chunk first fills it; threads of a pool fill those that follow ahead of a reader in order,
 * so that several are filled at a time.
 */
#ifndef KVFS_DUMP_CHUNKCACHE_H
#define KVFS_DUMP_CHUNKCACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "dump/result.h"

/* Bytes of a chunk, and of its blocks. Each block has a result of its own. */
#define KVFS_CHUNK_LEN (64 * 1024)
#define KVFS_CHUNK_BLOCK_LEN 4096
#define KVFS_CHUNK_BLOCKS (KVFS_CHUNK_LEN / KVFS_CHUNK_BLOCK_LEN)

/*
 * Fills buf with chunk nr, the bytes from nr * KVFS_CHUNK_LEN on. *result is zeroed before; bit i is
 * block i. A chunk with damaged blocks is kept. One with unavailable blocks is not: readers that wait
 * for it get its good blocks and its error, and the next read fills it again. Called by several
 * threads at a time, for different chunks.
 */
typedef void (*kvfs_chunkcache_fill_fn)(void *arg, uint64_t nr, unsigned char *buf,
					struct kvfs_dump_result *result);

struct kvfs_chunkcache;		/* opaque; any number of threads may use it */

/*
 * At most `workers` threads of pool, which is borrowed, work ahead of readers; none if pool is NULL.
 * max_len: bytes that chunks may take together; each thread that reads may take one chunk more.
 * nr_chunks: chunks that exist. Returns NULL if out of memory.
 */
struct kvfs_chunkcache *kvfs_chunkcache_create(struct kvfs_pool *pool, unsigned int workers, size_t max_len,
					       uint64_t nr_chunks, kvfs_chunkcache_fill_fn fill, void *arg);

/* No thread may be reading. NULL is allowed. */
void kvfs_chunkcache_destroy(struct kvfs_chunkcache *cache);

/*
 * Copies [off, off + len), which lies inside the chunks that exist, into buf. Returns 0, -EIO if a
 * block of it is damaged, the error of fill if one is unavailable, or -ENOMEM. On failure buf is
 * undefined.
 */
int kvfs_chunkcache_read(struct kvfs_chunkcache *cache, void *buf, size_t len, uint64_t off);

#endif /* KVFS_DUMP_CHUNKCACHE_H */
