// SPDX-License-Identifier: GPL-2.0-only
#include "dump.h"
#include "fuzz.h"

/* The other provider is fuzz_kdumpset's affair. */
int kvfs_dumpkdump_open(const int *fds, const struct kvfs_dump_config *config,
			struct kvfs_dump **out, struct kvfs_err *err)
{
	abort();
}

/* Reads and seeks at both ends of a table, and at each of its first extents. */
static void probe(struct kvfs_dump *dump, const struct kvfs_extents *t)
{
	static char buf[8192];

	for (size_t i = 0; i <= t->n && i < 64; i++) {
		uint64_t off = i < t->n ? t->v[i].off : t->size ? t->size - 1 : 0, found;

		kvfs_dump_read(dump, t, buf, sizeof(buf), off);
		if (kvfs_dump_seek(dump, t, off, SEEK_DATA, &found) == 0)
			fuzz_assert(found >= off && found < t->size);
		if (kvfs_dump_seek(dump, t, off, SEEK_HOLE, &found) == 0)
			fuzz_assert(found >= off && found <= t->size);
	}
	fuzz_assert(dump->ops->data_len(dump, t) <= kvfs_extents_data_len(t));
	fuzz_assert(kvfs_dump_read(dump, t, buf, 1, t->size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = dup(fuzz_file(data, size));
	struct kvfs_err err = { 0 };
	struct kvfs_dump *dump;
	int ret;

	fuzz_assert(fd >= 0);
	ret = kvfs_dumpelf_open(fd, "fuzz", size, &dump, &err);
	if (ret) {
		fuzz_check_error(ret, &err);
		close(fd);
		return 0;
	}
	probe(dump, &dump->ram);
	probe(dump, &dump->core);
	for (size_t i = 0; i < dump->nr_segs && i < 16; i++) {
		struct kvfs_extents table;

		if (kvfs_dump_seg_table(dump, i, &table) == 0)
			probe(dump, &table);
		kvfs_extents_deinit(&table);
	}
	kvfs_dump_close(dump);
	return 0;
}
