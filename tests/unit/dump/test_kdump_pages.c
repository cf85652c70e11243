// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_pages.h"

#include <errno.h>

#include "dump/kdump_header.h"
#include "failpread.h"
#include "unit.h"

#define PAGE 4096
#define NR 40

/* Stands in for zstd: a page is its first byte, over and over; 0xff is damaged. */
struct kvfs_zstd {
	int calls;
	unsigned char no_memory_for;
};

int kvfs_zstd_decompress(struct kvfs_zstd *z, const void *src, size_t len, void *dst, size_t page_len)
{
	const unsigned char *bytes = src;

	z->calls++;
	for (size_t i = 1; i < len; i++)
		ck_assert_uint_eq(bytes[i], bytes[0]);
	memset(dst, bytes[0], page_len);
	return bytes[0] == 0xff ? -EBADMSG : bytes[0] == z->no_memory_for ? -ENOMEM : 0;
}

static unsigned char buf[NR * PAGE];
static struct kvfs_kdump_location locs[NR];

/* Adjacent pages of changing kinds and lengths; after every gap pages there is a gap. */
static int make_file(size_t gap)
{
	static unsigned char bytes[NR * (PAGE + 100)];
	size_t at = 0;
	int fd;

	for (size_t i = 0; i < NR; i++) {
		bool zstd = i % 3 != 0;

		if (gap && i % gap == 0)
			at += 100;
		locs[i] = (struct kvfs_kdump_location) {
			.off = at,
			.len = zstd ? (uint32_t)(1 + i * 77) : PAGE,
			.flags = zstd ? KVFS_KDUMP_DESC_ZSTD : 0,
		};
		memset(bytes + at, (int)i + 1, locs[i].len);
		at += locs[i].len;
	}
	fd = unit_file(bytes, at);
	for (size_t i = 0; i < NR; i++)
		locs[i].fd = fd;
	return fd;
}

/* All pages except those of the mask have their own bytes. */
static void check(uint64_t bad)
{
	for (size_t i = 0; i < NR; i++) {
		if (bad >> i & 1)
			continue;
		ck_assert_uint_eq(buf[i * PAGE], i + 1);
		ck_assert_uint_eq(buf[i * PAGE + PAGE - 1], i + 1);
	}
}

/* The mask of the damaged ones; none is unavailable. */
static uint64_t read_all(void)
{
	struct kvfs_dump_result result = { 0 };
	struct kvfs_zstd zstd = { 0 };

	memset(buf, 0xee, sizeof(buf));
	kvfs_kdump_pages_read(&zstd, locs, NR, PAGE, buf, &result);
	check(result.damaged);
	ck_assert_uint_eq(result.unavailable, 0);
	ck_assert_int_eq(result.error, 0);
	return result.damaged;
}

START_TEST(test_can)
{
	struct kvfs_kdump_location loc = { .len = PAGE };
	struct kvfs_zstd zstd;

	ck_assert(kvfs_kdump_pages_can(NULL, &loc) && kvfs_kdump_pages_can(&zstd, &loc));
	loc.flags = KVFS_KDUMP_DESC_ZSTD;
	ck_assert(!kvfs_kdump_pages_can(NULL, &loc) && kvfs_kdump_pages_can(&zstd, &loc));
	loc.flags = KVFS_KDUMP_DESC_ZLIB;
	ck_assert(!kvfs_kdump_pages_can(&zstd, &loc));
}
END_TEST

START_TEST(test_read)
{
	for (size_t gap = 0; gap < 5; gap++) {
		int fd = make_file(gap);

		ck_assert_uint_eq(read_all(), 0);
		close(fd);
	}
}
END_TEST

/* Descriptors in any order, some pages twice: the writer shares pages of zeros. */
START_TEST(test_any_order)
{
	struct kvfs_dump_result result = { 0 };
	int fd = make_file(0);

	for (size_t i = 0; i + 1 < NR; i += 2) {
		struct kvfs_kdump_location other = locs[i];

		locs[i] = locs[i + 1];
		locs[i + 1] = other;
	}
	locs[7] = locs[6];
	kvfs_kdump_pages_read(&(struct kvfs_zstd){ 0 }, locs, NR, PAGE, buf, &result);
	ck_assert_uint_eq(result.damaged | result.unavailable, 0);
	for (size_t i = 0; i < NR; i++)
		ck_assert_uint_eq(buf[i * PAGE + 9], i == 7 ? 8 : (i ^ 1) + 1);
	close(fd);
}
END_TEST

START_TEST(test_damaged)
{
	static const unsigned char ones[PAGE] = { [0 ... PAGE - 1] = 0xff };
	int fd = make_file(0);

	ck_assert_int_eq(pwrite(fd, ones, locs[5].len, (off_t)locs[5].off), (int)locs[5].len);
	ck_assert_uint_eq(read_all(), 1 << 5);
	close(fd);
}
END_TEST

/* In a file that is truncated, exactly the pages that are not whole are damaged. */
START_TEST(test_cut)
{
	for (size_t i = 0; i < NR; i++) {
		int fd = make_file(i % 2 ? 4 : 0);

		ck_assert_int_eq(ftruncate(fd, (off_t)locs[i].off + locs[i].len - 1), 0);
		ck_assert_uint_eq(read_all(), ((1ULL << NR) - 1) & ~((1ULL << i) - 1));
		close(fd);
	}
}
END_TEST

static struct kvfs_dump_result read_with(unsigned char no_memory_for)
{
	struct kvfs_zstd zstd = { .no_memory_for = no_memory_for };
	struct kvfs_dump_result result = { 0 };

	memset(buf, 0xee, sizeof(buf));
	kvfs_kdump_pages_read(&zstd, locs, NR, PAGE, buf, &result);
	check(result.damaged | result.unavailable);
	ck_assert_uint_eq(result.damaged, 0);
	return result;
}

/* EIO is of the pages that the bytes are in; another error is of all that were read with them. */
START_TEST(test_unavailable)
{
	for (size_t i = 0; i < NR; i++) {
		int fd = make_file(i % 2 ? 4 : 0);
		struct kvfs_dump_result result;

		failpread_at(locs[i].off + locs[i].len - 1, EIO);
		result = read_with(0);
		ck_assert_uint_eq(result.unavailable, 1ULL << i);
		ck_assert_int_eq(result.error, -EIO);
		failpread_at(locs[i].off, ENOMEM);
		result = read_with(0);
		ck_assert(result.unavailable >> i & 1);
		ck_assert_int_eq(result.error, -ENOMEM);
		failpread_off();
		ck_assert_uint_eq(read_all(), 0);
		close(fd);
	}
	locs[0].fd = -1;
	ck_assert_uint_eq(read_with(0).unavailable & 1, 1);
	ck_assert_int_eq(read_with(0).error, -EBADF);
}
END_TEST

START_TEST(test_no_memory)
{
	int fd = make_file(0);
	struct kvfs_dump_result result = read_with(6);	/* the bytes of page 5 */

	ck_assert_uint_eq(result.unavailable, 1 << 5);
	ck_assert_int_eq(result.error, -ENOMEM);
	close(fd);
}
END_TEST

START_TEST(test_large_pages)
{
	static unsigned char large[3 * 65536], got[3 * 65536];
	struct kvfs_dump_result result = { 0 };
	struct kvfs_kdump_location at[3];
	int fd;

	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (unsigned char)(i / 1000);
	fd = unit_file(large, sizeof(large));
	for (size_t i = 0; i < 3; i++)
		at[i] = (struct kvfs_kdump_location) { .fd = fd, .off = i * 65536, .len = 65536 };
	kvfs_kdump_pages_read(NULL, at, 3, 65536, got, &result);
	ck_assert_uint_eq(result.damaged | result.unavailable, 0);
	ck_assert(memcmp(got, large, sizeof(got)) == 0);
	close(fd);
}
END_TEST

UNIT_MAIN("dump/kdump_pages", test_can, test_read, test_any_order, test_damaged, test_cut, test_unavailable,
	  test_no_memory, test_large_pages)
