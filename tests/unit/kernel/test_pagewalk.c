// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/pagewalk.h"

#include <errno.h>

#include "unit.h"

#define PAGE 4096
#define NR_PAGES 16
#define PRESENT 1
#define HUGE_ 0x80
#define PROTNONE 0x100
#define NX (UINT64_C(1) << 63)

/* A few pages of physical memory that hold tables; what lies beyond cannot be read. */
static uint64_t mem[NR_PAGES][PAGE / 8];

static int read_mem(void *arg, void *buf, size_t len, uint64_t paddr)
{
	if (paddr > sizeof(mem) - len)
		return -EIO;
	memcpy(buf, (char *)mem + paddr, len);
	return 0;
}

static struct kvfs_pagewalk walk = { .root = 0, .levels = 4, .read = read_mem };

/*
 * Four levels: vaddr 0x123456789000 by a 4 KiB page, the 2 MiB and the 1 GiB after it by
 * huge ones; the direct map's first page.
 */
static void set_up(void)
{
	memset(mem, 0, sizeof(mem));
	walk.levels = 4;
	walk.root = 0;
	walk.enc_mask = 0;
	mem[0][0x123456789000 >> 39 & 511] = PAGE | PRESENT;
	mem[1][0x123456789000 >> 30 & 511] = 2 * PAGE | PRESENT;
	mem[1][(0x123456789000 >> 30 & 511) + 1] = 0x7c0000000 | PRESENT | HUGE_ | NX;
	mem[2][0x123456789000 >> 21 & 511] = 3 * PAGE | PRESENT;
	mem[2][(0x123456789000 >> 21 & 511) + 1] = 0x7ffffe00000 | PRESENT | HUGE_ | NX;
	mem[3][0x123456789000 >> 12 & 511] = 0xabcdef000 | PRESENT | NX;
	mem[3][(0x123456789000 >> 12 & 511) + 1] = 0xabc000 | PROTNONE;
	/* A table that is not present is no table, whatever else its entry says. */
	mem[0][500] = PAGE | PROTNONE;
	mem[0][501] = UINT64_C(0x7000000) | PRESENT;	/* cannot be read */
	mem[0][510] = 4 * PAGE | PRESENT;
	mem[4][3] = 5 * PAGE | PRESENT;
	mem[5][7] = 6 * PAGE | PRESENT;
	mem[6][9] = 0x55000 | PRESENT;
}

static int translate(uint64_t vaddr, uint64_t *paddr, uint64_t *len)
{
	return kvfs_pagewalk(&walk, vaddr, paddr, len);
}

START_TEST(test_sizes)
{
	uint64_t paddr, len;

	set_up();
	ck_assert_int_eq(translate(0x123456789123, &paddr, &len), 0);
	ck_assert_uint_eq(paddr, 0xabcdef123);
	ck_assert_uint_eq(len, PAGE - 0x123);
	ck_assert_int_eq(translate(0x12345678a000, &paddr, &len), 0);
	ck_assert_uint_eq(paddr, 0xabc000);
	ck_assert_int_eq(translate(0x123456812345, &paddr, &len), 0);
	ck_assert_uint_eq(paddr, 0x7ffffe12345);
	ck_assert_uint_eq(len, 0x200000 - 0x12345);
	ck_assert_int_eq(translate(0x123481234567, &paddr, &len), 0);
	ck_assert_uint_eq(paddr, 0x7c1234567);
	ck_assert_uint_eq(len, 0x40000000 - 0x1234567);
}
END_TEST

START_TEST(test_not_mapped)
{
	uint64_t paddr, len;

	set_up();
	ck_assert_int_eq(translate(0, &paddr, &len), -EFAULT);
	ck_assert_int_eq(translate(0x12345678b000, &paddr, &len), -EFAULT);
	ck_assert_int_eq(translate(0x8000000000000000, &paddr, &len), -EFAULT);
	ck_assert_int_eq(translate(0x800000000000, &paddr, &len), -EFAULT);
	ck_assert_int_eq(translate(UINT64_C(0xffff000000000000) | UINT64_C(500) << 39, &paddr, &len), -EFAULT);
	ck_assert_int_eq(translate(UINT64_C(0xffff000000000000) | UINT64_C(501) << 39, &paddr, &len), -EIO);
}
END_TEST

START_TEST(test_five_levels)
{
	uint64_t paddr, len;

	set_up();
	walk.levels = 5;
	walk.root = 8 * PAGE;
	mem[8][0x111] = 0 | PRESENT;
	/* The four-level tables, one level down. */
	ck_assert_int_eq(translate(UINT64_C(0xff11123456789000), &paddr, &len), 0);
	ck_assert_uint_eq(paddr, 0xabcdef000);
	/* Five levels have more canonical addresses than four. */
	ck_assert_int_eq(translate(UINT64_C(0xfe11123456789000), &paddr, &len), -EFAULT);
}
END_TEST

START_TEST(test_encrypted)
{
	uint64_t paddr, len;

	set_up();
	walk.enc_mask = UINT64_C(1) << 47;
	mem[3][0x123456789000 >> 12 & 511] |= walk.enc_mask;
	ck_assert_int_eq(translate(0x123456789000, &paddr, &len), 0);
	ck_assert_uint_eq(paddr, 0xabcdef000);
}
END_TEST

START_TEST(test_first)
{
	uint64_t vaddr, paddr;

	set_up();
	ck_assert_int_eq(kvfs_pagewalk_first(&walk, 0x1000, &vaddr, &paddr), 0);
	ck_assert_uint_eq(vaddr, 0x123456789000);
	ck_assert_uint_eq(paddr, 0xabcdef000);
	/* Over an entry that is none and a table that cannot be read. */
	ck_assert_int_eq(kvfs_pagewalk_first(&walk, 0xffff888000000000, &vaddr, &paddr), 0);
	ck_assert_uint_eq(vaddr, UINT64_C(0xffff000000000000) | UINT64_C(510) << 39 | 3UL << 30 | 7 << 21 | 9 << 12);
	ck_assert_uint_eq(paddr, 0x55000);
	ck_assert_int_eq(kvfs_pagewalk_first(&walk, vaddr + PAGE, &vaddr, &paddr), -ENOENT);
	/* Not beyond the end of the lower half. */
	ck_assert_int_eq(kvfs_pagewalk_first(&walk, 0x200000000000, &vaddr, &paddr), -ENOENT);
}
END_TEST

/* Tables that refer to themselves look full and map nothing: the search comes to an end. */
START_TEST(test_first_endless)
{
	uint64_t vaddr, paddr;

	memset(mem, 0, sizeof(mem));
	walk.levels = 5;
	walk.root = 0;
	walk.enc_mask = 0;
	for (size_t i = 0; i < 512; i++) {
		mem[0][i] = PAGE | PRESENT;
		mem[1][i] = 2 * PAGE | PRESENT;
		mem[2][i] = 3 * PAGE | PRESENT;
		mem[3][i] = 4 * PAGE | PRESENT;
	}
	ck_assert_int_eq(kvfs_pagewalk_first(&walk, 0xff11000000000000, &vaddr, &paddr), -ENOENT);
}
END_TEST

UNIT_MAIN("pagewalk", test_sizes, test_not_mapped, test_five_levels, test_encrypted, test_first,
	  test_first_endless)
