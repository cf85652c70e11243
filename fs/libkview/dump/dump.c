// SPDX-License-Identifier: GPL-2.0-only
#include "dump/dump.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pieces of a read that are worked on at a time. */
#define MAX_PIECES 32

void kvfs_dump_close(struct kvfs_dump *dump)
{
	if (!dump)
		return;
	free(dump->segs);
	kvfs_extents_deinit(&dump->ram);
	kvfs_extents_deinit(&dump->core);
	free(dump->core_head);
	kvfs_elf_notes_deinit(&dump->notes);
	free(dump->vmcoreinfo);
	free(dump->missing);
	free(atomic_load(&dump->damaged));
	dump->ops->destroy(dump);
}

/* Tables. */

int kvfs_dump_seg_table(const struct kvfs_dump *dump, size_t nr, struct kvfs_extents *out)
{
	const struct kvfs_segment *seg = &dump->segs[nr];
	struct kvfs_extent e = {
		.len = seg->len,
		.kind = KVFS_EXTENT_FILE,
		.file_off = dump->fd >= 0 ? seg->off : seg->paddr,
	};
	int ret;

	*out = (struct kvfs_extents) { 0 };
	ret = seg->len ? kvfs_extents_add(out, &e) : 0;
	if (ret == 0)
		out->size = seg->memsz;
	return ret;
}

/* Bytes. */

static int read_piece(struct kvfs_dump *dump, const struct kvfs_extent_piece *p, char *buf)
{
	const struct kvfs_extent *e = p->extent;

	if (e && e->kind == KVFS_EXTENT_FILE)
		return dump->ops->read(dump, buf, p->len, e->file_off + p->extent_off);
	if (e)
		memcpy(buf, (const char *)e->blob + p->extent_off, p->len);
	else
		memset(buf, 0, p->len);
	return 0;
}

ssize_t kvfs_dump_read(struct kvfs_dump *dump, const struct kvfs_extents *t, void *buf,
		       size_t len, uint64_t off)
{
	struct kvfs_extent_piece pieces[MAX_PIECES];
	size_t done = 0;

	while (done < len) {
		char *at = (char *)buf + done;
		size_t covered, n;

		n = kvfs_extents_cut(t, off + done, len - done, pieces, MAX_PIECES, &covered);
		if (n == 0)
			break;
		for (size_t i = 0; i < n; i++) {
			int ret = read_piece(dump, &pieces[i], at + pieces[i].buf_off);

			if (ret < 0)
				return ret;
		}
		done += covered;
	}
	return (ssize_t)done;
}

/* SEEK_DATA: the first byte that is in an extent and not left out of it. */
static int seek_data(struct kvfs_dump *dump, const struct kvfs_extents *t, uint64_t off,
		     uint64_t *out)
{
	for (size_t i = kvfs_extents_find(t, off); i < t->n; i++) {
		const struct kvfs_extent *e = &t->v[i];
		uint64_t start = off > e->off ? off - e->off : 0;
		uint64_t found = e->file_off + start;

		if (e->kind == KVFS_EXTENT_FILE)
			found = dump->ops->seek(dump, found, e->file_off + e->len, SEEK_DATA);
		if (found < e->file_off + e->len) {
			*out = e->off + (found - e->file_off);
			return 0;
		}
	}
	return -ENXIO;
}

/* SEEK_HOLE: the first byte that is in no extent, or left out of one. */
static int seek_hole(struct kvfs_dump *dump, const struct kvfs_extents *t, uint64_t off,
		     uint64_t *out)
{
	for (size_t i = kvfs_extents_find(t, off); i < t->n && t->v[i].off <= off; i++) {
		const struct kvfs_extent *e = &t->v[i];
		uint64_t end = e->file_off + e->len;
		uint64_t found = end;

		if (e->kind == KVFS_EXTENT_FILE)
			found = dump->ops->seek(dump, e->file_off + (off - e->off), end, SEEK_HOLE);
		off = e->off + (found - e->file_off);
		if (found < end)
			break;
	}
	*out = off;
	return 0;
}

int kvfs_dump_seek(struct kvfs_dump *dump, const struct kvfs_extents *t, uint64_t off,
		   int whence, uint64_t *out)
{
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (off >= t->size)
		return -ENXIO;
	return whence == SEEK_DATA ? seek_data(dump, t, off, out) : seek_hole(dump, t, off, out);
}

int kvfs_dump_read_phys(void *arg, void *buf, size_t len, uint64_t paddr)
{
	struct kvfs_dump *dump = arg;
	ssize_t n = kvfs_dump_read(dump, &dump->ram, buf, len, paddr);

	if (n < 0)
		return (int)n;
	/* Past the end of memory nothing was dumped. */
	memset((char *)buf + n, 0, len - (size_t)n);
	return 0;
}
