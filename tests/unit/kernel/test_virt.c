// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/virt.h"

#include <elf.h>
#include <errno.h>

#include "unit.h"

#define PAGE 4096

/* Physical memory from 1 MiB on: the image at 2 MiB - 2 pages, tables, the rest. */
#define MEM_START 0x100000
#define MEM_LEN (16 * PAGE)
static unsigned char mem[MEM_LEN];

static int read_phys(void *arg, void *buf, size_t len, uint64_t paddr)
{
	if (paddr < MEM_START || paddr - MEM_START > MEM_LEN || len > MEM_LEN - (paddr - MEM_START))
		return -EIO;
	memcpy(buf, mem + (paddr - MEM_START), len);
	return 0;
}

/* Virtual addresses of the second segment are not contiguous with the first's. */
static const struct kvfs_segment segs[] = {
	{ .len = 4 * PAGE, .memsz = 4 * PAGE, .vaddr = 0xffffffff81000000, .paddr = MEM_START },
	{ .len = 4 * PAGE, .memsz = 4 * PAGE, .vaddr = 0xffff888000100000, .paddr = MEM_START },
	{ .len = PAGE, .memsz = PAGE, .vaddr = 0, .paddr = 0 },
	{ .len = PAGE, .memsz = PAGE, .vaddr = 0xffffc90000000000, .paddr = KVFS_NO_PADDR },
};

static struct kvfs_virt set_up(const char *text, uint16_t machine, size_t nr_segs, int want)
{
	const struct kvfs_vmcoreinfo info = { text, strlen(text) };
	struct kvfs_virt kmem;
	struct kvfs_err err = { 0 };
	int ret;

	for (size_t i = 0; i < sizeof(mem); i++)
		mem[i] = (unsigned char)(i / 7);
	ret = kvfs_virt_init(&kmem, &info, machine, segs, nr_segs, read_phys, NULL, &err);
	ck_assert_int_eq(ret, want);
	ck_assert_int_eq(err.errnum, -want);
	return kmem;
}

static void put_entry(uint64_t paddr, uint64_t entry)
{
	memcpy(mem + (paddr - MEM_START), &entry, sizeof(entry));
}

START_TEST(test_segments)
{
	struct kvfs_virt kmem = set_up("", EM_AARCH64, 4, 0);
	unsigned char buf[2 * PAGE];

	ck_assert_int_eq(kvfs_virt_read(&kmem, buf, sizeof(buf), 0xffffffff81000fff), 0);
	ck_assert(memcmp(buf, mem + 0xfff, sizeof(buf)) == 0);
	ck_assert_int_eq(kvfs_virt_read(&kmem, buf, PAGE, 0xffff888000103000), 0);
	ck_assert(memcmp(buf, mem + 3 * PAGE, PAGE) == 0);
	ck_assert_int_eq(kvfs_virt_read(&kmem, buf, PAGE + 1, 0xffff888000103000), -EFAULT);
	ck_assert_int_eq(kvfs_virt_read(&kmem, buf, 1, 0), -EFAULT);
	ck_assert_int_eq(kvfs_virt_read(&kmem, buf, 1, 0xffffc90000000000), -EFAULT);
	ck_assert_int_eq(kvfs_virt_read(&kmem, buf, 2, UINT64_MAX), -EFAULT);
	ck_assert_int_eq(kvfs_virt_read(&kmem, buf, 0, 0), 0);
}
END_TEST

/* phys_base moves the image: swapper_pg_dir at image offset 0x4000 lies in page 4. */
static const char with_tables[] =
	"SYMBOL(swapper_pg_dir)=ffffffff80304000\n"
	"NUMBER(phys_base)=-2097152\n"
	"NUMBER(pgtable_l5_enabled)=0\n";

START_TEST(test_tables)
{
	struct kvfs_virt kmem = set_up(with_tables, EM_X86_64, 0, 0);
	uint64_t root = MEM_START + 4 * PAGE, vaddr = 0xffffea0000000000;
	unsigned char buf[2 * PAGE];

	ck_assert(kmem.has_tables);
	ck_assert_uint_eq(kmem.walk.root, root);
	memset(mem + 4 * PAGE, 0, 4 * PAGE);
	put_entry(root + (vaddr >> 39 & 511) * 8, (root + PAGE) | 1);
	put_entry(root + PAGE, (root + 2 * PAGE) | 1);
	put_entry(root + 2 * PAGE, (root + 3 * PAGE) | 1);
	put_entry(root + 3 * PAGE, (MEM_START + 9 * PAGE) | 1);
	put_entry(root + 3 * PAGE + 8, (MEM_START + 2 * PAGE) | 1);
	/* Two pages that are adjacent in virtual memory only. */
	ck_assert_int_eq(kvfs_virt_read(&kmem, buf, PAGE, vaddr + PAGE / 2), 0);
	ck_assert(memcmp(buf, mem + 9 * PAGE + PAGE / 2, PAGE / 2) == 0);
	ck_assert(memcmp(buf + PAGE / 2, mem + 2 * PAGE, PAGE / 2) == 0);
	ck_assert_int_eq(kvfs_virt_read(&kmem, buf, 1, vaddr + 2 * PAGE), -EFAULT);
}
END_TEST

/* Tables that were not dumped read as zeros; the segments still translate. */
START_TEST(test_fall_back)
{
	struct kvfs_virt kmem = set_up(with_tables, EM_X86_64, 4, 0);
	unsigned char buf[16];

	memset(mem + 4 * PAGE, 0, PAGE);
	ck_assert_int_eq(kvfs_virt_read(&kmem, buf, 16, 0xffffffff81000010), 0);
	ck_assert(memcmp(buf, mem + 16, 16) == 0);
}
END_TEST

START_TEST(test_errors)
{
	set_up("", EM_X86_64, 0, -EOPNOTSUPP);
	set_up(with_tables, EM_AARCH64, 0, -EOPNOTSUPP);
	set_up("SYMBOL(swapper_pg_dir)=ffffffff80304000\n", EM_X86_64, 0, -EOPNOTSUPP);
	set_up("SYMBOL(swapper_pg_dir)=1000\nNUMBER(phys_base)=0\n", EM_X86_64, 4, -EBADMSG);
	set_up("SYMBOL(swapper_pg_dir)=nonsense\nNUMBER(phys_base)=0\n", EM_X86_64, 4, -EBADMSG);
	set_up("SYMBOL(swapper_pg_dir)=ffffffff80304000\nNUMBER(phys_base)=x\n", EM_X86_64, 4, -EBADMSG);
	set_up("SYMBOL(swapper_pg_dir)=ffffffff80304000\nNUMBER(phys_base)=0\nNUMBER(sme_mask)=y\n",
	       EM_X86_64, 4, -EBADMSG);
}
END_TEST

UNIT_MAIN("virt", test_segments, test_tables, test_fall_back, test_errors)
