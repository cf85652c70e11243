// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/memmap.h"

#include <errno.h>
#include <sys/stat.h>

#include "elf/load.h"
#include "extent/extent.h"
#include "failalloc.h"
#include "mkelf.h"
#include "unit.h"

/* A small machine as its /proc/kcore shows it: image, vmalloc, two ranges of RAM, vmemmap. */
#define IMAGE "load vaddr=0xffffffff81000000 paddr=0x1000000 memsz=4M off=0x7fff81003000\n"
#define VMALLOC "load vaddr=0xffffc90000000000 memsz=32M off=0x490000003000\n"
#define RAM_LOW "load vaddr=0xffff888000001000 paddr=0x1000 memsz=0x9e000 off=0x88000004000\n"
#define RAM_HIGH "load vaddr=0xffff888000100000 paddr=0x100000 memsz=127M off=0x88000103000\n"
#define VMEMMAP "load vaddr=0xffffea0000000000 memsz=2M off=0x6a0000003000\n"
#define NOTE "note name=VMCOREINFO desc=\"OSRELEASE=6.12\\n\"\n"
#define KCORE "elf\n" NOTE IMAGE VMALLOC RAM_LOW RAM_HIGH VMEMMAP

static int make(const char *text)
{
	int fd = unit_file(NULL, 0);
	char why[256];

	ck_assert_msg(!mkelf_expand(text, fd, why, sizeof(why)), "%s", why);
	return fd;
}

/* As a caller does it: reads the headers, makes the map, forgets the headers. */
static int from_file(int fd, const char *name, uint64_t file_len, uint64_t start, uint64_t end,
		     struct kvfs_memmap *map, struct kvfs_err *err)
{
	const struct kvfs_elf_file file = { .name = name, .len = file_len };
	struct kvfs_elf core;
	int ret = kvfs_elf_load(fd, name, file_len, &core, err);

	if (ret < 0)
		return ret;
	ret = kvfs_memmap_from_core(&core, &file, start, end, map, err);
	kvfs_elf_deinit(&core);
	return ret;
}

static int from_iomem(const char *text, const struct kview_info *info, uint64_t start, uint64_t end,
		      struct kvfs_memmap *map, struct kvfs_err *err)
{
	struct kvfs_iomem iomem;
	int ret = kvfs_iomem_parse(text, strlen(text), &iomem, err);

	if (ret < 0)
		return ret;
	ret = kvfs_memmap_from_iomem(&iomem, "an-iomem", info, start, end, map, err);
	kvfs_iomem_deinit(&iomem);
	return ret;
}

static void load(const char *text, uint64_t start, uint64_t end, struct kvfs_memmap *map)
{
	struct kvfs_err err = { 0 };
	int fd = make(text);

	ck_assert_msg(!from_file(fd, "x", 0, start, end, map, &err), "%s", err.msg);
	close(fd);
}

static void check_failure(const char *text, uint64_t start, uint64_t end, int errnum, const char *part)
{
	struct kvfs_memmap map, before;
	struct kvfs_err err = { 0 };
	int fd = make(text), ret;

	memset(&map, 0x5a, sizeof(map));
	before = map;
	ret = from_file(fd, "the-file", 0, start, end, &map, &err);
	unit_assert_error(ret, errnum, err, part);
	ck_assert_mem_eq(&map, &before, sizeof(map));
	close(fd);
}

START_TEST(a_kcore)
{
	struct kvfs_memmap map;

	load(KCORE, 0, 0, &map);
	ck_assert_uint_eq(map.nr_ram, 2);
	ck_assert_uint_eq(map.ram[0].paddr, 0x1000);
	ck_assert_uint_eq(map.ram[0].vaddr, 0xffff888000001000);
	ck_assert_uint_eq(map.ram[0].len, 0x9e000);
	ck_assert_uint_eq(map.ram[0].off, 0x88000004000);
	ck_assert_uint_eq(map.ram[1].paddr, 0x100000);
	ck_assert_uint_eq(map.image.vaddr, 0xffffffff81000000);
	ck_assert_uint_eq(map.image.paddr, 0x1000000);
	ck_assert_uint_eq(map.image.len, 4 << 20);
	ck_assert_uint_eq(map.image.memsz, 4 << 20);
	ck_assert_uint_eq(map.image.off, 0x7fff81003000);
	ck_assert_uint_eq(map.nr_other, 2);
	ck_assert_uint_eq(map.other[0].vaddr, 0xffffc90000000000);
	ck_assert_uint_eq(map.other[1].vaddr, 0xffffea0000000000);
	ck_assert_str_eq(map.vmcoreinfo, "OSRELEASE=6.12\n");
	ck_assert_uint_eq(map.vmcoreinfo_len, 15);
	kvfs_memmap_deinit(&map);
	ck_assert_ptr_null(map.ram);
	kvfs_memmap_deinit(&map);
	kvfs_memmap_deinit(NULL);
}
END_TEST

START_TEST(any_order_will_do)
{
	struct kvfs_memmap map;

	load("elf\n" VMEMMAP RAM_HIGH VMALLOC RAM_LOW IMAGE, 0, 0, &map);
	ck_assert_uint_eq(map.nr_ram, 2);
	ck_assert_uint_eq(map.ram[0].paddr, 0x1000);
	ck_assert_uint_eq(map.image.paddr, 0x1000000);
	ck_assert_uint_eq(map.other[0].vaddr, 0xffffc90000000000);
	ck_assert_ptr_null(map.vmcoreinfo);
	kvfs_memmap_deinit(&map);
}
END_TEST

START_TEST(with_kaslr)
{
	struct kvfs_memmap map;

	/* All bases at random; RAM in one piece and hardly longer than the image. */
	load("elf\nload vaddr=0xffff9d1d40001000 paddr=0x1000 memsz=0x4fff000 off=0x1000\n"
	     "load vaddr=0xffffffffa4200000 paddr=0x600000 memsz=0x4a00000 off=0x10000000\n", 0, 0, &map);
	ck_assert_uint_eq(map.nr_ram, 1);
	ck_assert_uint_eq(map.ram[0].vaddr, 0xffff9d1d40001000);
	ck_assert_uint_eq(map.image.vaddr, 0xffffffffa4200000);
	kvfs_memmap_deinit(&map);
	/* The image below the direct map, as other architectures have it. */
	load("elf\nload vaddr=0xffff800080000000 paddr=0x600000 memsz=4M off=0x10000000\n"
	     "load vaddr=0xffffa00000000000 paddr=0 memsz=64M off=0x1000\n", 0, 0, &map);
	ck_assert_uint_eq(map.nr_ram, 1);
	ck_assert_uint_eq(map.ram[0].vaddr, 0xffffa00000000000);
	ck_assert_uint_eq(map.image.vaddr, 0xffff800080000000);
	kvfs_memmap_deinit(&map);
}
END_TEST

START_TEST(ram_without_an_image_and_nothing_at_all)
{
	struct kvfs_memmap map;

	load("elf\n" RAM_LOW RAM_HIGH, 0, 0, &map);
	ck_assert_uint_eq(map.nr_ram, 2);
	ck_assert_uint_eq(map.image.len, 0);
	kvfs_memmap_deinit(&map);
	load("elf\n" VMALLOC, 0, 0, &map);
	ck_assert_uint_eq(map.nr_ram, 0);
	ck_assert_uint_eq(map.nr_other, 1);
	kvfs_memmap_deinit(&map);
	load("elf\n", 0, 0, &map);
	ck_assert_uint_eq(map.nr_ram + map.nr_other, 0);
	kvfs_memmap_deinit(&map);
}
END_TEST

START_TEST(the_image_is_cut_to_the_symbols)
{
	struct kvfs_memmap map;

	load(KCORE, 0xffffffff81200000, 0xffffffff81300123, &map);
	ck_assert_uint_eq(map.image.vaddr, 0xffffffff81200000);
	ck_assert_uint_eq(map.image.paddr, 0x1200000);
	ck_assert_uint_eq(map.image.off, 0x7fff81203000);
	ck_assert_uint_eq(map.image.len, 0x100123);
	ck_assert_uint_eq(map.image.memsz, 0x100123);
	kvfs_memmap_deinit(&map);
	load(KCORE, 0xffffffff81000000, 0xffffffff81400000, &map);
	ck_assert_uint_eq(map.image.len, 4 << 20);
	kvfs_memmap_deinit(&map);
}
END_TEST

START_TEST(symbols_that_contradict)
{
	check_failure(KCORE, 0xffffffff81000000, 0xffffffff81400001, EBADMSG, "has no segment for the "
		      "kernel image, which the symbols put at 0xffffffff81000000-0xffffffff81400000");
	check_failure(KCORE, 0xffffffff80fff000, 0xffffffff81400000, EBADMSG, "no segment");
	check_failure(KCORE, 0x1000, 0x2000, EBADMSG, "no segment");
	check_failure("elf\n" RAM_LOW RAM_HIGH, 0xffffffff81000000, 0xffffffff81400000, EBADMSG,
		      "no segment");
	check_failure(KCORE, 0x2000, 0x2000, EINVAL, "0x2000-0x2000");
	check_failure(KCORE, 0x2000, 0, EINVAL, "cannot be");
}
END_TEST

START_TEST(adjacent_ranges)
{
	struct kvfs_memmap map;

	/* The second continues the first in memory and file; the third in memory only. */
	load("elf\nload vaddr=0xffff888000100000 paddr=0x100000 memsz=1M off=0x100000\n"
	     "load vaddr=0xffff888000200000 paddr=0x200000 memsz=1M off=0x200000\n"
	     "load vaddr=0xffff888000300000 paddr=0x300000 memsz=1M off=0x900000\n"
	     "load vaddr=0xffff888000500000 paddr=0x500000 memsz=1M off=0xa00000\n", 0, 0, &map);
	ck_assert_uint_eq(map.nr_ram, 3);
	ck_assert_uint_eq(map.ram[0].len, 2 << 20);
	ck_assert_uint_eq(map.ram[0].memsz, 2 << 20);
	ck_assert_uint_eq(map.ram[1].off, 0x900000);
	ck_assert_uint_eq(map.ram[2].paddr, 0x500000);
	kvfs_memmap_deinit(&map);
}
END_TEST

START_TEST(bytes_that_no_file_has)
{
	struct kvfs_memmap map;

	/* What exceeds filesz is not shown, and a segment without bytes in the file is none. */
	load("elf\nload vaddr=0xffff888000300000 paddr=0x300000 memsz=1M filesz=0\n"
	     "load vaddr=0xffff888000100000 paddr=0x100000 memsz=1M filesz=512K\n", 0, 0, &map);
	ck_assert_uint_eq(map.nr_ram, 1);
	ck_assert_uint_eq(map.ram[0].paddr, 0x100000);
	ck_assert_uint_eq(map.ram[0].len, 512 << 10);
	ck_assert_uint_eq(map.ram[0].memsz, 512 << 10);
	kvfs_memmap_deinit(&map);
}
END_TEST

START_TEST(ram_that_contradicts_itself)
{
	check_failure("elf\n" RAM_HIGH
		      "load vaddr=0xffff888000200000 paddr=0x200000 memsz=1M off=0x1000\n", 0, 0, EBADMSG,
		      "RAM 0x100000-0x7ffffff and 0x200000-0x2fffff overlap");
	check_failure("elf\n" RAM_HIGH RAM_HIGH, 0, 0, EBADMSG, "overlap");
	check_failure("elf\nload vaddr=0xffff888000100000 paddr=0x100000 memsz=1M off=0x100000\n"
		      "load vaddr=0xffff888000300000 paddr=0x300000 memsz=1M off=0x1ff000\n", 0, 0, EBADMSG,
		      "RAM at 0x100000 and at 0x300000 share the byte of the file at 0x1ff000");
	check_failure("elf\nload vaddr=0xffff888000100800 paddr=0x100800 memsz=1M\n", 0, 0, EBADMSG,
		      "RAM 0x100800-0x2007ff (virtual 0xffff888000100800) does not consist of whole pages");
	check_failure("elf\nload vaddr=0xffff888000100001 paddr=0x100000 memsz=1M\n", 0, 0, EBADMSG,
		      "whole pages");
	check_failure("elf\nload vaddr=0xffff888000100000 paddr=0x100000 memsz=1M filesz=1000\n", 0, 0,
		      EBADMSG, "whole pages");
}
END_TEST

START_TEST(more_than_two_mappings)
{
	check_failure(KCORE "load vaddr=0xffffffffa0000000 paddr=0x1000000 memsz=1M off=0x1000\n", 0, 0,
		      EBADMSG, "both have physical addresses that are not the direct map's");
	/* Another kind of core: a dump of QEMU's, all of whose virtual addresses are 0. */
	check_failure("elf\nload vaddr=0 paddr=0 memsz=1M\nload vaddr=0 paddr=0x100000 memsz=1M\n"
		      "load vaddr=0 paddr=0x200000 memsz=1M\n", 0, 0, EBADMSG, "the direct map's");
}
END_TEST

START_TEST(another_machine_or_a_short_file)
{
	struct kvfs_memmap map;
	struct kvfs_err err = { 0 };
	int fd, ret;

	check_failure("elf machine=2\n" RAM_LOW, 0, 0, ENOEXEC, "the-file is of another machine (e_machine is 2");
	check_failure("elf\nload vaddr=0 memsz=4K filesz=8K\n", 0, 0, EBADMSG, "segment 0");
	fd = make("elf\nload vaddr=0xffff888000100000 paddr=0x100000 memsz=1M\nsize 512K\n");
	ret = from_file(fd, "f", 512 << 10, 0, 0, &map, &err);
	unit_assert_error(ret, ENODATA, err, "f is truncated: segment 0 claims bytes 0x1000-0x100fff "
			  "but the file ends at 0x80000");
	close(fd);
}
END_TEST

START_TEST(kcore_without_memory)
{
	struct kvfs_memmap map;
	struct kvfs_err err = { 0 };
	int fd = make(KCORE), ret;

	failalloc_try_all(ret, ret = from_file(fd, "x", 0, 0, 0, &map, &err));
	ck_assert_int_eq(ret, 0);
	kvfs_memmap_deinit(&map);
	close(fd);
}
END_TEST

static const char iomem[] =
	"00001000-0009fbff : System RAM\n"
	"00100000-07ffffff : System RAM\n"
	"  01000000-013fffff : Kernel code\n"
	"  01400000-017fffff : Kernel bss\n"
	"08000000-08ffffff : System RAM\n";

static const struct kview_info module_info = {
	.direct_map = 0xffff888000000000,
	.image_delta = 0xffffffff80000000,
};

START_TEST(an_iomem)
{
	struct kvfs_memmap map;
	struct kvfs_err err = { 0 };
	int ret;

	failalloc_try_all(ret, ret = from_iomem(iomem, &module_info,
			  0xffffffff81000000, 0xffffffff81900000, &map, &err));
	ck_assert_msg(!ret, "%s", err.msg);
	ck_assert_uint_eq(map.nr_ram, 2);	/* the last two are one */
	ck_assert_uint_eq(map.ram[0].paddr, 0x1000);
	ck_assert_uint_eq(map.ram[0].len, 0x9e000);
	ck_assert_uint_eq(map.ram[0].vaddr, 0xffff888000001000);
	ck_assert_uint_eq(map.ram[0].off, KVFS_NO_FILE_OFF);
	ck_assert_uint_eq(map.ram[1].len, 0x8f00000);
	ck_assert_uint_eq(map.image.vaddr, 0xffffffff81000000);
	ck_assert_uint_eq(map.image.paddr, 0x1000000);
	ck_assert_uint_eq(map.image.len, 0x900000);
	ck_assert_uint_eq(map.image.off, KVFS_NO_FILE_OFF);
	ck_assert_uint_eq(map.nr_other, 0);
	ck_assert_ptr_null(map.vmcoreinfo);
	kvfs_memmap_deinit(&map);
	/* Without symbols the image ends with its bss. */
	ck_assert_int_eq(from_iomem(iomem, &module_info, 0, 0, &map, &err), 0);
	ck_assert_uint_eq(map.image.vaddr, 0xffffffff81000000);
	ck_assert_uint_eq(map.image.paddr, 0x1000000);
	ck_assert_uint_eq(map.image.len, 0x800000);
	kvfs_memmap_deinit(&map);
}
END_TEST

START_TEST(an_iomem_that_will_not_do)
{
	const struct kview_info far = { .direct_map = 0xfffffffff7001000 };
	const struct kview_info at_the_end = { .direct_map = 0xfffffffff7000000 };
	struct kvfs_memmap map;
	struct kvfs_err err = { 0 };
	int ret;

	ret = from_iomem("00000000-00000fff : Reserved\n00001000-00001fff : PCI\n", &module_info, 0, 0,
			 &map, &err);
	unit_assert_error(ret, ENODATA, err, "an-iomem lists no System RAM");
	ret = from_iomem(iomem, &far, 0, 0, &map, &err);
	unit_assert_error(ret, EBADMSG, err, "direct map");
	ck_assert_int_eq(from_iomem(iomem, &at_the_end, 0, 0, &map, &err), 0);
	kvfs_memmap_deinit(&map);
	ret = from_iomem(iomem, &module_info, 2, 1, &map, &err);
	unit_assert_error(ret, EINVAL, err, "0x2-0x1");
}
END_TEST

START_TEST(an_iomem_without_an_image)
{
	struct kvfs_memmap map;
	struct kvfs_err err = { 0 };

	ck_assert_int_eq(from_iomem("00001000-0009ffff : System RAM\n", &module_info, 0, 0, &map, &err), 0);
	ck_assert_uint_eq(map.image.len, 0);
	kvfs_memmap_deinit(&map);
}
END_TEST

UNIT_MAIN("memmap", a_kcore, any_order_will_do, with_kaslr, ram_without_an_image_and_nothing_at_all,
	  the_image_is_cut_to_the_symbols, symbols_that_contradict, adjacent_ranges,
	  bytes_that_no_file_has, ram_that_contradicts_itself, more_than_two_mappings,
	  another_machine_or_a_short_file, kcore_without_memory, an_iomem,
	  an_iomem_that_will_not_do, an_iomem_without_an_image)
