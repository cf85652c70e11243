// SPDX-License-Identifier: GPL-2.0-only
/*
 * A compressed dump from its header to its bytes: pages, those that zstd compressed, and the core
 * that is built around them. libkdumpfile has a stand-in.
 */
#include "dump/kdump.h"
#include "dump/kdump_lib.h"
#include "fuzz_dump.h"

int kvfs_kdump_lib_open(const int *fds, size_t nr, uint32_t page_size, struct kvfs_kdump_lib **out,
			struct kvfs_err *err)
{
	static char lib;

	*out = (struct kvfs_kdump_lib *)&lib;
	return 0;
}

void kvfs_kdump_lib_close(struct kvfs_kdump_lib *lib)
{
}

/* A third of the pages is damaged. */
int kvfs_kdump_lib_read(struct kvfs_kdump_lib *lib, void *buf, size_t len, uint64_t paddr, size_t *done)
{
	*done = paddr / 4096 % 3 ? len : 0;
	memset(buf, 0x5a, *done);
	return *done < len ? -EBADMSG : 0;
}

/* Each segment lies inside core and ram. */
static void check_core(const struct kvfs_dump *dump)
{
	for (size_t i = 0; i < dump->nr_segs; i++) {
		const struct kvfs_segment *seg = &dump->segs[i];

		fuzz_assert(seg->len > 0 && seg->len <= seg->memsz);
		fuzz_assert(seg->off <= dump->core.size && seg->len <= dump->core.size - seg->off);
		fuzz_assert(seg->paddr <= dump->ram.size && seg->len <= dump->ram.size - seg->paddr);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *name = "fuzz";
	const struct kvfs_dump_config config = { .files = &name, .nr_files = 1, .cache_len = 1 << 20 };
	struct kvfs_dump_file file = { .name = name, .fd = dup(fuzz_file(data, size)), .len = size };
	struct kvfs_err err = { 0 };
	struct kvfs_dump *dump;
	int ret;

	fuzz_assert(file.fd >= 0);
	ret = kvfs_dump_kdump.open(&file, 1, &config, &dump, &err);
	if (ret) {
		fuzz_check_error(ret, &err);
		close(file.fd);
		return 0;
	}
	check_core(dump);
	fuzz_dump(dump, 16, 4);
	kvfs_dump_close(dump);
	return 0;
}
