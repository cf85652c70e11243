// SPDX-License-Identifier: GPL-2.0-only
#include "extent/read.h"

#include <errno.h>
#include <string.h>

#include "extent/uring.h"

/* Pieces of one round; a longer read takes several rounds. */
#define MAX_PIECES 32
/* Limit on descriptors that one read borrows; so many of its pieces are read side by side. */
#define MAX_FDS 8
/* Fewest bytes for a further descriptor: waking another thread of the kernel costs as much as copying them. */
#define MIN_LEN_PER_FD (16 * 1024)

/* One round: the pieces, and the reads that some of them need. */
struct round {
	struct kvfs_extent_piece pieces[MAX_PIECES];
	size_t nr_pieces;
	struct kvfs_uring_read reads[MAX_PIECES];
	size_t nr_reads;
	size_t read_of[MAX_PIECES];	/* index of a piece's read, or one of the values below */
	int fds[MAX_FDS];
	size_t nr_fds;
};

#define IS_FILLED SIZE_MAX		/* a hole or a blob, which needs no read */
#define HAS_NO_SOURCE (SIZE_MAX - 1)	/* RAM that no file has a copy of */

/* Fills the pieces that need no I/O and lists reads for the others. Returns the bytes to read. */
static size_t plan(struct round *r, char *buf)
{
	size_t sum = 0;

	r->nr_reads = 0;
	for (size_t i = 0; i < r->nr_pieces; i++) {
		const struct kvfs_extent_piece *p = &r->pieces[i];
		const struct kvfs_extent *e = p->extent;

		r->read_of[i] = IS_FILLED;
		if (!e) {
			memset(buf + p->buf_off, 0, p->len);
		} else if (e->kind == KVFS_EXTENT_BLOB) {
			memcpy(buf + p->buf_off, (const char *)e->blob + p->extent_off, p->len);
		} else if (e->file_off == KVFS_NO_FILE_OFF) {
			r->read_of[i] = HAS_NO_SOURCE;
		} else {
			r->read_of[i] = r->nr_reads;
			r->reads[r->nr_reads++] = (struct kvfs_uring_read){
				.buf = buf + p->buf_off,
				.len = p->len,
				.off = e->file_off + p->extent_off,
			};
			sum += p->len;
		}
	}
	return sum;
}

/*
 * Borrows as many descriptors as the reads can use. Returns 0, or -errno if it gets none; with fewer
 * than wanted the read is only slower.
 */
static int borrow(struct round *r, struct kvfs_fdpool *pool, size_t sum)
{
	size_t want = sum / MIN_LEN_PER_FD;

	if (want > MAX_FDS)
		want = MAX_FDS;
	if (want > r->nr_reads)
		want = r->nr_reads;
	if (want == 0)
		want = 1;
	for (r->nr_fds = 0; r->nr_fds < want; r->nr_fds++) {
		int fd = kvfs_fdpool_get(pool);

		if (fd < 0 && r->nr_fds == 0)
			return fd;
		if (fd < 0)
			break;
		r->fds[r->nr_fds] = fd;
	}
	return 0;
}

/* Assigns each read, in order, to the descriptor with the fewest bytes so far. */
static void assign(struct round *r)
{
	size_t load[MAX_FDS] = { 0 };

	for (size_t i = 0; i < r->nr_reads; i++) {
		size_t least = 0;

		for (size_t j = 1; j < r->nr_fds; j++)
			if (load[j] < load[least])
				least = j;
		r->reads[i].fd = r->fds[least];
		load[least] += r->reads[i].len;
	}
}

/* Returns the bytes read of a piece, or -errno. */
static ssize_t outcome(const struct round *r, size_t i)
{
	if (r->read_of[i] == IS_FILLED)
		return (ssize_t)r->pieces[i].len;
	if (r->read_of[i] == HAS_NO_SOURCE)
		return -ENXIO;
	return r->reads[r->read_of[i]].result;
}

/* Returns the number of bytes from the start of the round that were read, or -errno if the first was not. */
static ssize_t count_good(const struct round *r)
{
	size_t good = 0;

	for (size_t i = 0; i < r->nr_pieces; i++) {
		ssize_t got = outcome(r, i);

		if (got < 0)
			return good ? (ssize_t)good : got;
		good += (size_t)got;
		if ((size_t)got < r->pieces[i].len)
			return good ? (ssize_t)good : -ENXIO;
	}
	return (ssize_t)good;
}

static void read_sources(struct round *r, struct kvfs_fdpool *pool, size_t sum)
{
	int ret;

	if (!r->nr_reads)
		return;
	ret = borrow(r, pool, sum);
	if (ret) {
		for (size_t i = 0; i < r->nr_reads; i++)
			r->reads[i].result = ret;
		return;
	}
	assign(r);
	kvfs_uring_read_batch(r->reads, r->nr_reads);
	while (r->nr_fds)
		kvfs_fdpool_put(pool, r->fds[--r->nr_fds]);
}

ssize_t kvfs_extents_read(const struct kvfs_extents *t, struct kvfs_fdpool *pool,
			  void *buf, size_t len, uint64_t off)
{
	struct round r;
	size_t done = 0;

	while (done < len) {
		char *at = (char *)buf + done;
		size_t covered;
		ssize_t good;

		r.nr_pieces = kvfs_extents_cut(t, off + done, len - done, r.pieces, MAX_PIECES,
					       &covered);
		if (!r.nr_pieces)
			break;
		read_sources(&r, pool, plan(&r, at));
		good = count_good(&r);
		if (good < 0)
			return done ? (ssize_t)done : good;
		done += (size_t)good;
		if ((size_t)good < covered)
			break;
	}
	return (ssize_t)done;
}
