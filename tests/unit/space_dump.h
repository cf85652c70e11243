/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A dump without a file, for unit tests: its space is pages that hold their number in each byte.
 * Pages 100 to 109 are damaged, every fourth page (3, 7, ...) is left out.
 */
#ifndef SPACE_DUMP_H
#define SPACE_DUMP_H

#include <errno.h>

#include "dump/dump.h"
#include "unit.h"

#define PAGE 4096

static inline int space_read(struct kvfs_dump *dump, void *buf, size_t len, uint64_t off)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t page = (off + i) / PAGE;

		if (page >= 100 && page < 110)
			return -EIO;
		((unsigned char *)buf)[i] = (unsigned char)page;
	}
	return 0;
}

static inline uint64_t space_seek(struct kvfs_dump *dump, uint64_t off, uint64_t end, int whence)
{
	while (off < end && (off / PAGE % 4 == 3) != (whence == SEEK_HOLE))
		off = (off / PAGE + 1) * PAGE;
	return off < end ? off : end;
}

static inline uint64_t space_data_len(struct kvfs_dump *dump, const struct kvfs_extents *t)
{
	return kvfs_extents_data_len(t);
}

static inline void space_destroy(struct kvfs_dump *dump)
{
	if (dump->fd >= 0)
		close(dump->fd);
	free(dump);
}

static const struct kvfs_dump_ops space_ops = {
	.read = space_read,
	.seek = space_seek,
	.data_len = space_data_len,
	.destroy = space_destroy,
};

static inline struct kvfs_dump *new_dump(void)
{
	struct kvfs_dump *dump = calloc(1, sizeof(*dump));

	ck_assert_ptr_nonnull(dump);
	dump->ops = &space_ops;
	dump->format = "test";
	dump->fd = -1;
	return dump;
}

/* The image in RAM, RAM in two pieces of which the lower comes last, one without bytes. */
static inline void give_segments(struct kvfs_dump *dump)
{
	static const struct kvfs_segment segs[] = {
		{ .off = 0x10000, .len = 2 * PAGE, .memsz = 2 * PAGE, .paddr = 0x5000 },
		{ .off = 0x20000, .len = 4 * PAGE, .memsz = 5 * PAGE, .paddr = 0x4000 },
		{ .off = 0x30000, .len = 0, .memsz = PAGE, .paddr = 0xa000 },
		{ .off = 0x40000, .len = PAGE, .memsz = PAGE, .paddr = 0x1000 },
		{ .off = 0x50000, .len = PAGE, .memsz = PAGE, .paddr = UINT64_MAX },
		{ .off = 0x60000, .len = PAGE, .memsz = PAGE, .paddr = 0x7ffffffffffff000 },
	};

	dump->nr_segs = sizeof(segs) / sizeof(segs[0]);
	dump->segs = malloc(sizeof(segs));
	ck_assert_ptr_nonnull(dump->segs);
	memcpy(dump->segs, segs, sizeof(segs));
}

#endif /* SPACE_DUMP_H */
