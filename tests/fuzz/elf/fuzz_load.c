// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>

#include "elf/load.h"
#include "fuzz.h"

static void check_segment(const struct kvfs_elf *core, const struct kvfs_segment *s)
{
	uint64_t max = core->elfclass == ELFCLASS32 ? UINT32_MAX : UINT64_MAX;

	fuzz_assert(s->memsz > 0 && s->len <= s->memsz);
	fuzz_assert(s->off <= INT64_MAX && s->len <= INT64_MAX - s->off);
	fuzz_assert(s->vaddr <= max && s->memsz - 1 <= max - s->vaddr);
	fuzz_assert(s->paddr == KVFS_NO_PADDR || s->memsz - 1 <= UINT64_MAX - s->paddr);
}

static void load(int fd, uint64_t file_len)
{
	struct kvfs_elf core = { 0 };
	struct kvfs_err err = { 0 };
	int ret = kvfs_elf_load(fd, "input", file_len, &core, &err);

	if (ret) {
		fuzz_check_error(ret, &err);
		fuzz_assert(!core.segs && !core.vmcoreinfo);
		return;
	}
	fuzz_assert(core.elfclass == ELFCLASS32 || core.elfclass == ELFCLASS64);
	for (size_t i = 0; i < core.nr_segs; i++) {
		check_segment(&core, &core.segs[i]);
		if (file_len && core.segs[i].len)
			fuzz_assert(core.segs[i].off + core.segs[i].len <= file_len);
	}
	fuzz_assert(file_len || !core.nr_cut);
	if (core.vmcoreinfo)
		fuzz_assert(strlen(core.vmcoreinfo) == core.vmcoreinfo_len);
	kvfs_elf_deinit(&core);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = fuzz_file(data, size);

	load(fd, 0);
	load(fd, size);
	return 0;
}
