/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must hold of any dump that could be opened, for the fuzz targets of the providers.
 */
#ifndef FUZZ_DUMP_H
#define FUZZ_DUMP_H

#include "dump/dump.h"
#include "fuzz.h"

/* Reads and seeks at both ends of a table, and at each of its first extents. */
static inline void fuzz_probe(struct kvfs_dump *dump, const struct kvfs_extents *t, size_t most)
{
	static char buf[3 * 65536];

	for (size_t i = 0; i <= t->n && i < most; i++) {
		uint64_t off = i < t->n ? t->v[i].off : t->size ? t->size - 1 : 0, found;
		ssize_t n = kvfs_dump_read(dump, t, buf, sizeof(buf), off);

		fuzz_assert(n < 0 || (uint64_t)n == (t->size - off < sizeof(buf) ? t->size - off : sizeof(buf)));
		if (kvfs_dump_seek(dump, t, off, SEEK_DATA, &found) == 0)
			fuzz_assert(found >= off && found < t->size);
		if (kvfs_dump_seek(dump, t, off, SEEK_HOLE, &found) == 0)
			fuzz_assert(found >= off && found <= t->size);
	}
	fuzz_assert(dump->ops->data_len(dump, t) <= kvfs_extents_data_len(t));
	fuzz_assert(kvfs_dump_read(dump, t, buf, 1, t->size) == 0);
}

/* Probes all views of a dump, in each the first extents, and of segments the first ones. */
static inline void fuzz_dump(struct kvfs_dump *dump, size_t most_extents, size_t most_segs)
{
	fuzz_probe(dump, &dump->ram, most_extents);
	fuzz_probe(dump, &dump->core, most_extents);
	for (size_t i = 0; i < dump->nr_segs && i < most_segs; i++) {
		struct kvfs_extents table;

		if (kvfs_dump_seg_table(dump, i, &table) == 0)
			fuzz_probe(dump, &table, most_extents);
		kvfs_extents_deinit(&table);
	}
}

#endif /* FUZZ_DUMP_H */
