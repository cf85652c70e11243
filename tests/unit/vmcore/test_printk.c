// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/printk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

#include "unit.h"

/* A ring as a 64-bit kernel has it, at BASE: 8 records and 256 bytes of text. */
#define BASE 0xffffffff82000000ULL
#define PRB 0			/* the pointer that the symbol names */
#define RB 64
#define DESCS 1024
#define INFOS 2048
#define TEXT 4096
#define NR 8
#define TEXT_LEN 256
#define ID_MASK (~(3ULL << 62))
#define COMMITTED 1ULL
#define FINALIZED 2ULL
#define REUSABLE 3ULL

static unsigned char mem[8192];
static char info_text[4096];
static struct kvfs_vmcoreinfo info;

static void put64(size_t at, uint64_t v)
{
	memcpy(mem + at, &v, 8);
}

static void put32(size_t at, uint32_t v)
{
	memcpy(mem + at, &v, 4);
}

static int read_mem(void *arg, void *buf, size_t len, uint64_t vaddr)
{
	if (vaddr < BASE || vaddr - BASE > sizeof(mem) || len > sizeof(mem) - (vaddr - BASE))
		return -EFAULT;
	memcpy(buf, mem + (vaddr - BASE), len);
	return 0;
}

/* The lines of VMCOREINFO; more, if not NULL, comes last and so wins. */
static void set_info(const char *more)
{
	snprintf(info_text, sizeof(info_text),
		 "SYMBOL(prb)=%llx\nSIZE(printk_ringbuffer)=80\n"
		 "OFFSET(printk_ringbuffer.desc_ring)=0\nOFFSET(printk_ringbuffer.text_data_ring)=40\n"
		 "OFFSET(prb_desc_ring.count_bits)=0\nOFFSET(prb_desc_ring.descs)=8\n"
		 "OFFSET(prb_desc_ring.infos)=16\nOFFSET(prb_desc_ring.head_id)=24\n"
		 "OFFSET(prb_desc_ring.tail_id)=32\nSIZE(prb_desc)=24\n"
		 "OFFSET(prb_desc.state_var)=0\nOFFSET(prb_desc.text_blk_lpos)=8\n"
		 "OFFSET(prb_data_blk_lpos.begin)=0\nOFFSET(prb_data_blk_lpos.next)=8\n"
		 "SIZE(printk_info)=88\nOFFSET(printk_info.ts_nsec)=8\nOFFSET(printk_info.text_len)=16\n"
		 "OFFSET(prb_data_ring.size_bits)=0\nOFFSET(prb_data_ring.data)=8\n"
		 "SIZE(atomic_long_t)=8\nOFFSET(atomic_long_t.counter)=0\n%s",
		 BASE + PRB, more ? more : "");
	info = (struct kvfs_vmcoreinfo) { .text = info_text, .len = strlen(info_text) };
}

static void set_up(uint64_t tail, uint64_t head)
{
	memset(mem, 0, sizeof(mem));
	set_info(NULL);
	put64(PRB, BASE + RB);
	put32(RB, 3);
	put64(RB + 8, BASE + DESCS);
	put64(RB + 16, BASE + INFOS);
	put64(RB + 24, head);
	put64(RB + 32, tail);
	put32(RB + 40, 8);
	put64(RB + 48, BASE + TEXT);
}

/* Record id with its text in [begin, next) of the text ring's positions. */
static void record(uint64_t id, uint64_t state, uint64_t begin, uint64_t next, const char *text,
		   size_t len, uint64_t ts)
{
	size_t desc = DESCS + id % NR * 24, inf = INFOS + id % NR * 88;
	uint64_t at = begin / TEXT_LEN < (next - 1) / TEXT_LEN ? 0 : begin % TEXT_LEN;

	put64(desc, (id & ID_MASK) | state << 62);
	put64(desc + 8, begin);
	put64(desc + 16, next);
	put64(inf + 8, ts);
	mem[inf + 16] = (unsigned char)len;
	mem[inf + 17] = (unsigned char)(len >> 8);
	put32(inf + 20, (id & 1 ? 0x80000000 : 0) | (uint32_t)(id % 1000));
	memcpy(mem + TEXT + at + 8, text, strlen(text));
}

static char *decode(int want, struct kvfs_err *err)
{
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	memset(err, 0, sizeof(*err));
	ck_assert_int_eq(kvfs_printk_decode(&info, read_mem, NULL, out, err), want);
	ck_assert_int_eq(err->errnum, -want);
	fclose(out);
	return text;
}

static void check(const char *want)
{
	struct kvfs_err err;
	char *text = decode(0, &err);

	ck_assert_str_eq(text, want);
	free(text);
}

START_TEST(test_plain)
{
	set_up(100, 102);
	record(100, FINALIZED, 0, 16, "first", 5, 0);
	record(101, COMMITTED, 16, 40, "second line", 11, 1234567890123);
	record(102, FINALIZED, 40, 64, "third", 5, 99999999999999999);
	check("[    0.000000] first\n[ 1234.567890] second line\n[99999999.999999] third\n");
}
END_TEST

START_TEST(test_caller)
{
	set_up(100, 101);
	set_info("OFFSET(printk_info.caller_id)=20\n");
	record(100, FINALIZED, 0, 16, "a\nb", 3, 0);
	record(101, FINALIZED, 16, 32, "c", 1, 0);
	check("[    0.000000] [    T100] a\n                          b\n[    0.000000] [    C101] c\n");
}
END_TEST

START_TEST(test_bytes)
{
	set_up(0, 0);
	record(0, FINALIZED, 0, 64, "a\tb\x01\x7f\xc3\xa9\x1b[0m\nz", 13, 0);
	check("[    0.000000] a\tb\\x01\\x7f\\xc3\\xa9\\x1b[0m\n               z\n");
}
END_TEST

/* Writers that were not done, records that were freed, others with the number of an older lap. */
START_TEST(test_states)
{
	set_up(8, 15);
	record(8, REUSABLE, 0, 16, "freed", 5, 0);
	record(9, 0, 16, 32, "reserved", 8, 0);
	record(10, FINALIZED, 32, 48, "good", 4, 0);
	record(3, FINALIZED, 48, 64, "old", 3, 0);	/* where 11 should be */
	record(12, FINALIZED, 1, 1, "", 0, 0);		/* without text */
	record(13, FINALIZED, 3, 3, "", 0, 0);		/* lost */
	record(14, COMMITTED, 64, 80, "too long", 400, 0);
	record(15, FINALIZED, 80, 84, "torn", 4, 0);
	check("[    0.000000] good\n[    0.000000] too long\n");
}
END_TEST

/* The text of a block that does not fit before the end of the ring is at its start. */
START_TEST(test_text_wraps)
{
	set_up(0, 0);
	record(0, FINALIZED, 10 * TEXT_LEN + 240, 11 * TEXT_LEN + 24, "wrapped", 7, 0);
	check("[    0.000000] wrapped\n");
}
END_TEST

/* A block that just fits lies before the end of the ring; the next one begins at its start. */
START_TEST(test_text_ends_with_ring)
{
	set_up(0, 1);
	record(0, FINALIZED, 10 * TEXT_LEN + 232, 11 * TEXT_LEN, "to the very end.", 16, 0);
	record(1, FINALIZED, 11 * TEXT_LEN, 11 * TEXT_LEN + 16, "next", 4, 0);
	check("[    0.000000] to the very end.\n[    0.000000] next\n");
}
END_TEST

/* Numbers run over the end of the index, and over their own end. */
START_TEST(test_ids_wrap)
{
	uint64_t last = ID_MASK;

	set_up(last - 1, 1);
	record(last - 1, FINALIZED, 0, 16, "a", 1, 0);
	record(last, FINALIZED, 16, 32, "b", 1, 0);
	record(0, FINALIZED, 32, 48, "c", 1, 0);
	record(1, FINALIZED, 48, 64, "d", 1, 0);
	check("[    0.000000] a\n[    0.000000] b\n[    0.000000] c\n[    0.000000] d\n");
}
END_TEST

START_TEST(test_other_kernels)
{
	static const struct kvfs_vmcoreinfo old = { "SYMBOL(log_buf)=1\n", 18 };
	struct kvfs_err err = { 0 };

	unit_assert_error(kvfs_printk_decode(&old, read_mem, NULL, stderr, &err), EOPNOTSUPP, err, "5.10");
}
END_TEST

START_TEST(test_hostile_info)
{
	static const char *const lines[] = {
		"SIZE(prb_desc)=4000000000\n", "SIZE(prb_desc)=23\n", "OFFSET(prb_desc.state_var)=20\n",
		"SIZE(atomic_long_t)=3\n", "SIZE(printk_ringbuffer)=55\n", "SIZE(printk_info)=17\n",
		"OFFSET(printk_info.ts_nsec)=-8\n", "OFFSET(printk_info.caller_id)=85\n",
		"OFFSET(prb_data_blk_lpos.next)=18446744073709551615\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct kvfs_err err;

		set_up(0, 0);
		set_info(lines[i]);
		free(decode(-EBADMSG, &err));
	}
}
END_TEST

START_TEST(test_hostile_memory)
{
	struct kvfs_err err;

	set_up(0, 0);
	put32(RB, 40);
	free(decode(-EBADMSG, &err));
	set_up(0, 0);
	put32(RB + 40, 32);
	free(decode(-EBADMSG, &err));
	set_up(0, NR);	/* one more than there is room for */
	free(decode(-EBADMSG, &err));
	set_up(5, 4);
	free(decode(-EBADMSG, &err));
	set_up(0, 0);
	put64(PRB, 0);
	free(decode(-EFAULT, &err));
	set_up(0, 0);
	put64(RB + 8, BASE + sizeof(mem));
	free(decode(-EFAULT, &err));
	/* All records claim all of the text. */
	set_up(0, NR - 1);
	for (uint64_t i = 0; i < NR; i++)
		record(i, FINALIZED, 0, TEXT_LEN - 1, "x", 200, 0);
	free(decode(-EBADMSG, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "more text"));
}
END_TEST

UNIT_MAIN("vmcore/printk", test_plain, test_caller, test_bytes, test_states, test_text_wraps,
	  test_text_ends_with_ring, test_ids_wrap, test_other_kernels, test_hostile_info, test_hostile_memory)
