// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/layout.h"

#include <elf.h>
#include <errno.h>

#include "elf/load.h"
#include "failalloc.h"
#include "unit.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static struct kvfs_segment ram[] = {
	{ .off = 0x1000, .len = 0x9e000, .memsz = 0x9e000, .vaddr = 0xffff888000001000, .paddr = 0x1000 },
	{ .off = 0x200000, .len = 3 * GIB, .memsz = 3 * GIB, .vaddr = 0xffff888000100000,
	  .paddr = 0x100000 },
	{ .off = KVFS_NO_FILE_OFF, .len = MIB, .memsz = MIB, .vaddr = 0xffff888100000000,
	  .paddr = 0x100000000 },
};

static struct kvfs_segment other[] = {
	{ .off = 0x490000003000, .len = 32 * MIB, .memsz = 32 * MIB, .vaddr = 0xffffc90000000000,
	  .paddr = KVFS_NO_PADDR },
	{ .off = 0x4f0000003000, .len = MIB, .memsz = MIB, .vaddr = 0xffffffffa0000000,
	  .paddr = KVFS_NO_PADDR },
};

static char vmcoreinfo[] = "OSRELEASE=6.12\n";

static struct kvfs_memmap map = {
	.ram = ram, .nr_ram = 3, .other = other, .nr_other = 2,
	.image = { .off = 0x7fff81003000, .len = 40 * MIB, .memsz = 40 * MIB,
		   .vaddr = 0xffffffff81300000, .paddr = 0x1300000 },
	.vmcoreinfo = vmcoreinfo, .vmcoreinfo_len = sizeof(vmcoreinfo) - 1,
};

static const struct kvfs_memmap nothing;

START_TEST(layout_of_ram)
{
	struct kvfs_extents t;
	struct kvfs_err err = { 0 };
	int ret;

	ck_assert_msg(!kvfs_kcore_layout_ram(&map, &t, &err), "%s", err.msg);
	ck_assert_uint_eq(t.n, 3);
	ck_assert_uint_eq(t.size, 0x100100000);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(t.v[i].kind, KVFS_EXTENT_RAM);
		ck_assert_uint_eq(t.v[i].off, ram[i].paddr);
		ck_assert_uint_eq(t.v[i].paddr, ram[i].paddr);
		ck_assert_uint_eq(t.v[i].len, ram[i].len);
		ck_assert_uint_eq(t.v[i].file_off, ram[i].off);
		ck_assert_uint_eq(t.v[i].vaddr, 0);
	}
	kvfs_extents_deinit(&t);
	ret = kvfs_kcore_layout_ram(&nothing, &t, &err);
	unit_assert_error(ret, ENODATA, err, "no System RAM");
}
END_TEST

START_TEST(layout_of_text)
{
	struct kvfs_extents t;
	struct kvfs_err err = { 0 };
	int ret;

	ck_assert_int_eq(kvfs_kcore_layout_text(&map, &t, &err), 0);
	ck_assert_uint_eq(t.n, 1);
	ck_assert_uint_eq(t.size, 40 * MIB);
	ck_assert_uint_eq(t.v[0].off, 0);
	ck_assert_uint_eq(t.v[0].paddr, 0x1300000);
	ck_assert_uint_eq(t.v[0].vaddr, 0xffffffff81300000);
	ck_assert_uint_eq(t.v[0].file_off, 0x7fff81003000);
	kvfs_extents_deinit(&t);
	ret = kvfs_kcore_layout_text(&nothing, &t, &err);
	unit_assert_error(ret, ENODATA, err, "kernel image is not known");
}
END_TEST

/* Each program header agrees with the extent of its segment. */
static void check_head(const void *head, const struct kvfs_extents *t)
{
	int fd = unit_file(head, KVFS_CORE_HEAD_LEN);
	struct kvfs_elf core;
	struct kvfs_err err;

	ck_assert_int_eq(kvfs_elf_load(fd, "head", 0, &core, &err), 0);
	ck_assert_uint_eq(core.nr_segs, t->n - 1);
	for (size_t i = 0; i < core.nr_segs; i++) {
		const struct kvfs_extent *e = &t->v[i + 1];
		const struct kvfs_segment *s = &core.segs[i];

		ck_assert_uint_eq(s->off, e->off);
		ck_assert_uint_eq(s->len, e->len);
		ck_assert_uint_eq(s->memsz, e->len);
		ck_assert_uint_eq(s->paddr, e->paddr);
		ck_assert_uint_eq(s->off % (2 * MIB), s->paddr % (2 * MIB));
		if (e->vaddr)
			ck_assert_uint_eq(s->vaddr, e->vaddr);
		else
			ck_assert_uint_eq(s->off % GIB, s->paddr % GIB);
	}
	ck_assert_str_eq(core.vmcoreinfo, vmcoreinfo);
	kvfs_elf_deinit(&core);
	close(fd);
}

START_TEST(layout_of_core)
{
	struct kvfs_extents t;
	struct kvfs_err err = { 0 };
	void *head;
	int ret;

	failalloc_try_all(ret, ret = kvfs_kcore_layout_core(&map, &t, &head, &err));
	ck_assert_msg(!ret, "%s", err.msg);
	ck_assert_uint_eq(t.n, 5);
	ck_assert_int_eq(t.v[0].kind, KVFS_EXTENT_BLOB);
	ck_assert_uint_eq(t.v[0].off, 0);
	ck_assert_uint_eq(t.v[0].len, 32768);
	ck_assert_ptr_eq(t.v[0].blob, head);
	ck_assert_uint_eq(t.v[1].off, 2 * MIB + 0x100000);
	ck_assert_uint_eq(t.v[1].vaddr, 0xffffffff81300000);
	ck_assert_uint_eq(t.v[1].file_off, 0x7fff81003000);
	ck_assert_uint_eq(t.v[2].off, GIB + 0x1000);
	ck_assert_uint_eq(t.v[2].vaddr, 0);
	ck_assert_uint_eq(t.v[4].off, GIB + 0x100000000);
	ck_assert_uint_eq(t.v[4].file_off, KVFS_NO_FILE_OFF);
	ck_assert_uint_eq(t.size, GIB + 0x100100000);
	check_head(head, &t);
	kvfs_extents_deinit(&t);
	free(head);
}
END_TEST

START_TEST(a_core_of_less)
{
	struct kvfs_memmap part = map;
	struct kvfs_extents t;
	struct kvfs_err err = { 0 };
	void *head;
	int ret;

	part.image.len = 0;
	ck_assert_int_eq(kvfs_kcore_layout_core(&part, &t, &head, &err), 0);
	ck_assert_uint_eq(t.n, 4);
	check_head(head, &t);
	kvfs_extents_deinit(&t);
	free(head);
	part = map;
	part.nr_ram = 0;
	ck_assert_int_eq(kvfs_kcore_layout_core(&part, &t, &head, &err), 0);
	ck_assert_uint_eq(t.n, 2);
	check_head(head, &t);
	kvfs_extents_deinit(&t);
	free(head);
	ret = kvfs_kcore_layout_core(&nothing, &t, &head, &err);
	unit_assert_error(ret, ENODATA, err, "neither RAM nor");
}
END_TEST

START_TEST(a_core_that_does_not_fit)
{
	static struct kvfs_segment many[600];
	struct kvfs_memmap big = map;
	struct kvfs_extents t;
	struct kvfs_err err = { 0 };
	void *head;
	int ret;

	for (uint64_t i = 0; i < 600; i++)
		many[i] = (struct kvfs_segment){ .len = 4096, .memsz = 4096, .paddr = i * 8192,
						 .vaddr = 0xffff888000000000 + i * 8192 };
	big.ram = many;
	big.nr_ram = 600;
	ret = kvfs_kcore_layout_core(&big, &t, &head, &err);
	unit_assert_error(ret, EFBIG, err, "601 segments and 15 bytes of VMCOREINFO do not fit into 32768");
	big.nr_ram = 580;
	ck_assert_int_eq(kvfs_kcore_layout_core(&big, &t, &head, &err), 0);
	check_head(head, &t);
	kvfs_extents_deinit(&t);
	free(head);
	big = map;
	big.image.len = GIB - 3 * MIB;
	ck_assert_int_eq(kvfs_kcore_layout_core(&big, &t, &head, &err), 0);
	kvfs_extents_deinit(&t);
	free(head);
	big.image.len++;
	ret = kvfs_kcore_layout_core(&big, &t, &head, &err);
	unit_assert_error(ret, EFBIG, err, "does not fit before offset 0x40000000");
	ram[2].paddr = INT64_MAX - MIB - 4096;
	ck_assert_int_eq(kvfs_kcore_layout_ram(&map, &t, &err), 0);
	kvfs_extents_deinit(&t);
	ret = kvfs_kcore_layout_core(&map, &t, &head, &err);
	unit_assert_error(ret, EOVERFLOW, err, "core: 0x100000 bytes at physical address 0x7fffffffffefefff");
	ram[2].paddr = UINT64_MAX - 4095;
	ret = kvfs_kcore_layout_core(&map, &t, &head, &err);
	unit_assert_error(ret, EOVERFLOW, err, "too far out");
	ret = kvfs_kcore_layout_ram(&map, &t, &err);
	unit_assert_error(ret, EOVERFLOW, err, "ram: 0x100000 bytes");
}
END_TEST

START_TEST(symbols)
{
	struct kvfs_extents t;
	struct kvfs_err err = { 0 };

	ck_assert_int_eq(kvfs_kcore_layout_sym(&map, 0xffffffff81300123, 77, &t, &err), 0);
	ck_assert_uint_eq(t.n, 1);
	ck_assert_uint_eq(t.size, 77);
	ck_assert_int_eq(t.v[0].kind, KVFS_EXTENT_RAM);
	ck_assert_uint_eq(t.v[0].off, 0);
	ck_assert_uint_eq(t.v[0].paddr, 0x1300123);
	ck_assert_uint_eq(t.v[0].vaddr, 0xffffffff81300123);
	ck_assert_uint_eq(t.v[0].file_off, 0x7fff81003123);
	kvfs_extents_deinit(&t);
	ck_assert_int_eq(kvfs_kcore_layout_sym(&map, 0xffffc90000001000, 4096, &t, &err), 0);
	ck_assert_int_eq(t.v[0].kind, KVFS_EXTENT_FILE);
	ck_assert_uint_eq(t.v[0].file_off, 0x490000004000);
	kvfs_extents_deinit(&t);
	map.image.off = KVFS_NO_FILE_OFF;
	ck_assert_int_eq(kvfs_kcore_layout_sym(&map, 0xffffffff81300123, 77, &t, &err), 0);
	ck_assert_uint_eq(t.v[0].file_off, KVFS_NO_FILE_OFF);
	kvfs_extents_deinit(&t);
}
END_TEST

START_TEST(symbols_at_the_borders)
{
	uint64_t start = map.image.vaddr, end = start + map.image.len;
	struct kvfs_extents t;
	struct kvfs_err err = { 0 };
	int ret;

	ck_assert_int_eq(kvfs_kcore_layout_sym(&map, start, map.image.len, &t, &err), 0);
	kvfs_extents_deinit(&t);
	ck_assert_int_eq(kvfs_kcore_layout_sym(&map, end - 1, 1, &t, &err), 0);
	kvfs_extents_deinit(&t);
	ret = kvfs_kcore_layout_sym(&map, end - 1, 2, &t, &err);
	unit_assert_error(ret, ENXIO, err, "no segment holds the addresses");
	ret = kvfs_kcore_layout_sym(&map, end, 1, &t, &err);
	unit_assert_error(ret, ENXIO, err, "no segment");
	ret = kvfs_kcore_layout_sym(&map, start - 1, 1, &t, &err);
	unit_assert_error(ret, ENXIO, err, "no segment");
	ret = kvfs_kcore_layout_sym(&map, start, UINT64_MAX, &t, &err);
	unit_assert_error(ret, ENXIO, err, "no segment");
	ret = kvfs_kcore_layout_sym(&map, start, 0, &t, &err);
	unit_assert_error(ret, EINVAL, err, "no bytes");
	failalloc_arm(0);
	ret = kvfs_kcore_layout_sym(&map, start, 1, &t, &err);
	ck_assert(failalloc_happened());
	ck_assert_int_eq(ret, -ENOMEM);
}
END_TEST

UNIT_MAIN("layout", layout_of_ram, layout_of_text, layout_of_core, a_core_of_less,
	  a_core_that_does_not_fit, symbols, symbols_at_the_borders)
