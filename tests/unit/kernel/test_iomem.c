// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/iomem.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"

static const char sample[] =
	"00000000-00000fff : Reserved\n"
	"00001000-0009fbff : System RAM\n"
	"0009fc00-000fffff : Reserved\n"
	"  000f0000-000fffff : System ROM\n"
	"00100000-bfffffff : System RAM\n"
	"  01000000-022090c7 : Kernel code\n"
	"  02400000-02e08fff : Kernel rodata\n"
	"  03000000-0327c03f : Kernel data\n"
	"  03b34000-03c57fff : Kernel bss\n"
	"c0001000-eebfffff : PCI Bus 0000:00\n"
	"100000000-13fffffff : System RAM\n"
	"140000000-1ffffffff : virtio0\n"
	"  140000000-147ffffff : System RAM (virtio_mem)\n"
	"200000000-2ffffffff : Persistent Memory\n"
	"  200000000-2ffffffff : dax0.0\n"
	"    200000000-27fffffff : System RAM (kmem)\n";

static int parse(const char *text, struct kvfs_iomem *out, struct kvfs_err *err)
{
	return kvfs_iomem_parse(text, strlen(text), out, err);
}

START_TEST(ram_and_image)
{
	static const struct kvfs_range want[] = {
		{ 0x1000, 0x9f000 }, { 0x100000, 0xc0000000 }, { 0x100000000, 0x140000000 },
		{ 0x140000000, 0x148000000 }, { 0x200000000, 0x280000000 },
	};
	struct kvfs_iomem iomem;
	struct kvfs_err err = { 0 };

	ck_assert_msg(!parse(sample, &iomem, &err), "%s", err.msg);
	ck_assert_uint_eq(iomem.nr_ram, 5);
	ck_assert_mem_eq(iomem.ram, want, sizeof(want));
	ck_assert_uint_eq(iomem.kernel.start, 0x1000000);
	ck_assert_uint_eq(iomem.kernel.end, 0x3c58000);
	kvfs_iomem_deinit(&iomem);
	ck_assert_ptr_null(iomem.ram);
	kvfs_iomem_deinit(&iomem);
	kvfs_iomem_deinit(NULL);
}
END_TEST

START_TEST(whole_pages_only)
{
	struct kvfs_iomem iomem;
	struct kvfs_err err = { 0 };

	ck_assert_int_eq(parse("00000001-00000fff : System RAM\n"
			       "00001fff-00002fff : System RAM\n"
			       "00003000-00004ffe : System RAM\n"
			       "00005000-00005000 : System RAM\n"
			       "fffffffffffff000-ffffffffffffffff : System RAM\n", &iomem, &err), 0);
	ck_assert_uint_eq(iomem.nr_ram, 2);
	ck_assert_uint_eq(iomem.ram[0].start, 0x2000);
	ck_assert_uint_eq(iomem.ram[0].end, 0x3000);
	ck_assert_uint_eq(iomem.ram[1].start, 0x3000);
	ck_assert_uint_eq(iomem.ram[1].end, 0x4000);
	kvfs_iomem_deinit(&iomem);
}
END_TEST

START_TEST(nothing_there)
{
	struct kvfs_iomem iomem;
	struct kvfs_err err = { 0 };

	ck_assert_int_eq(parse("", &iomem, &err), 0);
	ck_assert_uint_eq(iomem.nr_ram, 0);
	ck_assert_uint_eq(iomem.kernel.end, 0);
	kvfs_iomem_deinit(&iomem);
	ck_assert_int_eq(parse("00001000-00001fff : Kernel code", &iomem, &err), 0);
	ck_assert_uint_eq(iomem.kernel.start, 0);
	ck_assert_uint_eq(iomem.kernel.end, 0);
	kvfs_iomem_deinit(&iomem);
	ck_assert_int_eq(parse("00001000-00001fff : System RAMP\n00003000-00003fff : System RAM (\n",
			       &iomem, &err), 0);
	ck_assert_uint_eq(iomem.nr_ram, 0);
	kvfs_iomem_deinit(&iomem);
}
END_TEST

START_TEST(images_that_are_odd)
{
	struct kvfs_iomem iomem;
	struct kvfs_err err = { 0 };

	/* The first of each counts; an empty name is a name. */
	ck_assert_int_eq(parse("00001000-00001fff : \n"
			       "00002000-00002fff : Kernel code\n"
			       "00003000-00003fff : Kernel code\n"
			       "00004000-00004fff : Kernel bss\n"
			       "00005000-00005fff : Kernel bss\n", &iomem, &err), 0);
	ck_assert_uint_eq(iomem.kernel.start, 0x2000);
	ck_assert_uint_eq(iomem.kernel.end, 0x5000);
	kvfs_iomem_deinit(&iomem);
	ck_assert_int_eq(parse("00001000-00001fff : Kernel bss\n00002000-00002fff : Kernel code\n",
			       &iomem, &err), 0);
	ck_assert_uint_eq(iomem.kernel.end, 0);
	kvfs_iomem_deinit(&iomem);
	ck_assert_int_eq(parse("00001000-00001fff : Kernel code\n"
			       "00002000-ffffffffffffffff : Kernel bss\n", &iomem, &err), 0);
	ck_assert_uint_eq(iomem.kernel.end, 0);
	kvfs_iomem_deinit(&iomem);
}
END_TEST

START_TEST(hidden_addresses)
{
	struct kvfs_iomem iomem;
	struct kvfs_err err = { 0 };
	int ret = parse("00000000-00000000 : System RAM\n"
			"  00000000-00000000 : Kernel code\n"
			"00000000-00000000 : System RAM\n", &iomem, &err);

	unit_assert_error(ret, EPERM, err, "hides the addresses");
}
END_TEST

START_TEST(lines_that_are_none)
{
	static const char *const bad[] = {
		"\n", "x\n", "00001000\n", "00001000-\n", "00001000-00002000\n", "-00002000 : a\n",
		"00001000 - 00002000 : a\n", "00001000-00002000: a\n", "00002000-00001000 : a\n",
		"00001000-00002000 :a\n", "00001g00-00002000 : a\n", "0x1000-0x2000 : a\n",
		"10000000000000000-20000000000000000 : a\n", "1-11111111111111111 : a\n",
		"\t1000-2000 : a\n", "1000-2000 :\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct kvfs_iomem iomem;
		struct kvfs_err err = { 0 };
		char text[256];
		int ret;

		snprintf(text, sizeof(text), "00000000-00000fff : System RAM\n%s", bad[i]);
		ret = parse(text, &iomem, &err);
		unit_assert_error(ret, EBADMSG, err, "line 2 is not one of /proc/iomem");
	}
}
END_TEST

START_TEST(ram_out_of_order)
{
	struct kvfs_iomem iomem;
	struct kvfs_err err = { 0 };
	int ret = parse("00100000-001fffff : System RAM\n"
			"001ff000-002fffff : System RAM\n", &iomem, &err);

	unit_assert_error(ret, EBADMSG, err, "line 2");
	ret = parse("00100000-001fffff : System RAM\n00000000-000fffff : System RAM\n", &iomem, &err);
	unit_assert_error(ret, EBADMSG, err, "out of order");
}
END_TEST

START_TEST(from_a_file)
{
	struct kvfs_iomem iomem;
	struct kvfs_err err = { 0 };
	int fd = unit_file(sample, sizeof(sample) - 1), ret;

	failalloc_try_all(ret, ret = kvfs_iomem_load(unit_path(fd), &iomem, &err));
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_eq(iomem.nr_ram, 5);
	kvfs_iomem_deinit(&iomem);
	close(fd);
	ret = kvfs_iomem_load("/nonexistent", &iomem, &err);
	unit_assert_error(ret, ENOENT, err, "cannot read /nonexistent");
	fd = unit_file("?\n", 2);
	ret = kvfs_iomem_load(unit_path(fd), &iomem, &err);
	unit_assert_error(ret, EBADMSG, err, "/proc/self/fd/");
	close(fd);
}
END_TEST

START_TEST(many_ranges)
{
	char *text = malloc(200 * 40), *p = text;
	struct kvfs_iomem iomem;
	struct kvfs_err err = { 0 };
	int ret;

	for (unsigned long i = 0; i < 200; i++)
		p += sprintf(p, "%08lx-%08lx : System RAM\n", i * 0x2000, i * 0x2000 + 0xfff);
	failalloc_try_all(ret, ret = parse(text, &iomem, &err));
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_eq(iomem.nr_ram, 200);
	ck_assert_uint_eq(iomem.ram[199].start, 199 * 0x2000);
	kvfs_iomem_deinit(&iomem);
	free(text);
}
END_TEST

UNIT_MAIN("iomem", ram_and_image, whole_pages_only, nothing_there, images_that_are_odd, hidden_addresses,
	  lines_that_are_none, ram_out_of_order, from_a_file, many_ranges)
