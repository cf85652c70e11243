// SPDX-License-Identifier: GPL-2.0-only
#include "elf/load.h"
#include "fuzz.h"
#include "kcore/layout.h"
#include "kernel/memmap.h"

/* Extents in order, inside the view, and of some length. */
static void check_table(const struct kvfs_extents *t)
{
	uint64_t end = 0;

	for (size_t i = 0; i < t->n; i++) {
		fuzz_assert(t->v[i].len > 0 && t->v[i].off >= end);
		end = t->v[i].off + t->v[i].len;
		fuzz_assert(end <= INT64_MAX);
	}
	fuzz_assert(end == t->size);
}

static void check_map(const struct kvfs_memmap *map)
{
	for (size_t i = 0; i < map->nr_ram; i++) {
		const struct kvfs_segment *s = &map->ram[i];

		fuzz_assert(s->len && !(s->len % 4096) && !(s->paddr % 4096) && !(s->vaddr % 4096));
		fuzz_assert(s->vaddr - s->paddr == map->ram[0].vaddr - map->ram[0].paddr);
		fuzz_assert(!i || s->paddr >= map->ram[i - 1].paddr + map->ram[i - 1].len);
	}
	for (size_t i = 0; i < map->nr_other; i++)
		fuzz_assert(map->other[i].len && map->other[i].paddr == KVFS_NO_PADDR);
	if (map->image.len && map->nr_ram)
		fuzz_assert(map->image.vaddr - map->image.paddr != map->ram[0].vaddr - map->ram[0].paddr);
}

static void lay_out_core(const struct kvfs_memmap *map)
{
	struct kvfs_extents t = { 0 };
	struct kvfs_elf core = { 0 };
	struct kvfs_err err = { 0 };
	void *head = NULL;
	int ret = kvfs_kcore_layout_core(map, &t, &head, &err);

	if (ret) {
		fuzz_check_error(ret, &err);
		fuzz_assert(!head && !t.v);
		return;
	}
	check_table(&t);
	ret = kvfs_elf_load(fuzz_file(head, KVFS_CORE_HEAD_LEN), "head", 0, &core, &err);
	fuzz_assert(!ret);
	fuzz_assert(core.nr_segs == t.n - 1);
	for (size_t i = 0; i < core.nr_segs; i++)
		fuzz_assert(core.segs[i].off == t.v[i + 1].off && core.segs[i].len == t.v[i + 1].len &&
			    core.segs[i].paddr == t.v[i + 1].paddr);
	kvfs_elf_deinit(&core);
	kvfs_extents_deinit(&t);
	free(head);
}

static void lay_out(const struct kvfs_memmap *map)
{
	uint64_t vaddr = map->nr_other ? map->other[0].vaddr : map->image.vaddr;
	struct kvfs_extents t = { 0 };
	struct kvfs_err err = { 0 };

	if (!kvfs_kcore_layout_ram(map, &t, &err)) {
		check_table(&t);
		for (size_t i = 0; i < t.n; i++)
			fuzz_assert(t.v[i].off == t.v[i].paddr);
	}
	kvfs_extents_deinit(&t);
	if (!kvfs_kcore_layout_text(map, &t, &err))
		fuzz_assert(t.size == map->image.len);
	kvfs_extents_deinit(&t);
	if (!kvfs_kcore_layout_sym(map, vaddr, 64, &t, &err))
		fuzz_assert(t.n == 1 && t.size == 64);
	kvfs_extents_deinit(&t);
	lay_out_core(map);
}

static int load(const uint8_t *data, size_t size, const uint64_t range[2], struct kvfs_memmap *map,
		struct kvfs_err *err)
{
	const struct kvfs_elf_file file = { .name = "input" };
	struct kvfs_elf core;
	int ret = kvfs_elf_load(fuzz_file(data, size), file.name, 0, &core, err);

	if (ret < 0)
		return ret;
	ret = kvfs_memmap_from_core(&core, &file, range[0], range[1], map, err);
	kvfs_elf_deinit(&core);
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Without symbols, and with symbols at the image of the seeds. */
	static const uint64_t ranges[][2] = { { 0, 0 }, { 0xffffffff81000000, 0xffffffff81200000 } };

	for (size_t i = 0; i < 2; i++) {
		struct kvfs_memmap map = { 0 };
		struct kvfs_err err = { 0 };
		int ret = load(data, size, ranges[i], &map, &err);

		if (ret) {
			fuzz_check_error(ret, &err);
			fuzz_assert(!map.ram);
			continue;
		}
		check_map(&map);
		lay_out(&map);
		kvfs_memmap_deinit(&map);
	}
	return 0;
}
