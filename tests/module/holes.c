// SPDX-License-Identifier: GPL-2.0-only
/* Where there is nothing to show: holes, addresses without RAM, and the end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

static unsigned char *page;
static uint64_t paddr;

/* hole, page, hole of more than 2 MiB, page, hole of part of a page */
#define FIRST PAGE
#define SECOND (5 * MIB)
#define SIZE (SECOND + PAGE + 100)

static void test_reads(int fd)
{
	static unsigned char buf[SIZE + 50];

	memset(buf, 0xee, sizeof(buf));
	is_int(pread(fd, buf, sizeof(buf), 0), SIZE, "a read over all of it ends at the size");
	ok(kv_is_zero(buf, FIRST), "zeros before the first extent");
	ok(!memcmp(buf + FIRST, page, PAGE), "the first extent");
	ok(kv_is_zero(buf + FIRST + PAGE, SECOND - FIRST - PAGE), "zeros between");
	ok(!memcmp(buf + SECOND, page, PAGE), "the second extent");
	ok(kv_is_zero(buf + SECOND + PAGE, 100), "zeros to the end");
	ok(buf[SIZE] == 0xee, "nothing is written after it");
	is_int(pread(fd, buf, 1, SIZE), 0, "at the size: 0");
	is_int(pread(fd, buf, 1, SIZE + PAGE), 0, "after it: 0");
	is_int(pread(fd, buf, 1, INT64_MAX - 1), 0, "as far as an offset can go: 0");
	is_int(pread(fd, buf, 0, 0), 0, "no bytes wanted: 0");
	is_int(pread(fd, buf, 1, -1) < 0 ? errno : 0, EINVAL, "a negative offset");
}

static void test_map(int fd)
{
	unsigned char *map = kv_map(fd, 0, SECOND + 4 * PAGE);

	is_int(kv_load(map), 0, "a mapped hole is zero");
	is_int(kv_load(map + FIRST), page[0], "the mapped first extent");
	is_int(kv_load(map + FIRST + PAGE), 0, "the page after it is zero");
	is_int(kv_load(map + SECOND - 1), 0, "and the one before the second");
	ok(!memcmp(map + SECOND, page, PAGE), "the mapped second extent");
	ok(kv_is_zero(map + SECOND + PAGE, PAGE), "the last page is zero, also past the size");
	is_int(kv_load(map + SECOND + 2 * PAGE), -SIGBUS, "the page after that is SIGBUS");
	is_int(kv_load(map + SECOND + 3 * PAGE), -SIGBUS, "and the next");
	munmap(map, SECOND + 4 * PAGE);
}

static void test_seek(int fd)
{
	struct stat st;

	is_int(lseek(fd, 0, SEEK_DATA), FIRST, "SEEK_DATA from the start");
	is_int(lseek(fd, FIRST + 7, SEEK_DATA), FIRST + 7, "SEEK_DATA in data");
	is_int(lseek(fd, FIRST, SEEK_HOLE), FIRST + PAGE, "SEEK_HOLE in data");
	is_int(lseek(fd, FIRST + PAGE + 1, SEEK_HOLE), FIRST + PAGE + 1, "SEEK_HOLE in a hole");
	is_int(lseek(fd, FIRST + PAGE, SEEK_DATA), SECOND, "SEEK_DATA over a hole");
	is_int(lseek(fd, SECOND + PAGE, SEEK_DATA) < 0 ? errno : 0, ENXIO,
	       "SEEK_DATA after the last");
	is_int(lseek(fd, SIZE, SEEK_HOLE) < 0 ? errno : 0, ENXIO, "SEEK_HOLE at the size");
	is_int(lseek(fd, 0, SEEK_END), SIZE, "SEEK_END");
	is_int(lseek(fd, -10, SEEK_END), SIZE - 10, "SEEK_END minus 10");
	is_int(lseek(fd, 3, SEEK_CUR), SIZE - 7, "SEEK_CUR");
	is_int(lseek(fd, 3, SEEK_SET), 3, "SEEK_SET");
	fstat(fd, &st);
	is_int(st.st_size, SIZE, "st_size");
	is_int(st.st_blocks, 2 * PAGE / 512, "st_blocks counts what is not a hole");
}

static void test_no_ram(uint64_t at, const char *what)
{
	struct kview_extent extent = kv_ram(0, PAGE, at);
	int fd = kv_create(PAGE, &extent, 1);
	unsigned char *map = kv_map(fd, 0, PAGE);
	unsigned char buf[PAGE];

	memset(buf, 0xee, PAGE);
	is_int(pread(fd, buf, PAGE, 0), PAGE, "%s: can be read", what);
	ok(kv_is_zero(buf, PAGE), "%s: zeros", what);
	is_int(kv_load(map), 0, "%s: zeros when mapped", what);
	munmap(map, PAGE);
	close(fd);
}

static void test_unmappable(void)
{
	struct kview_extent crooked = kv_ram(1, PAGE, paddr);
	struct kview_extent part = kv_ram(0, PAGE - 1, paddr);
	struct kview_extent inside = kv_ram(1, 10, paddr + 1);
	struct kview_extent both[2] = { kv_blob(0, 10, page), kv_blob(100, 10, page) };
	const struct { const char *name; struct kview_extent *extents; unsigned int nr; } cases[] = {
		{ "offset not at a page", &crooked, 1 },
		{ "length not whole pages", &part, 1 },
		{ "a piece inside a page", &inside, 1 },
		{ "two extents in a page", both, 2 },
	};
	unsigned char byte;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = kv_create(2 * PAGE, cases[i].extents, cases[i].nr);
		void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

		is_int(map == MAP_FAILED ? errno : 0, ENODEV, "%s: no mapping", cases[i].name);
		ok(pread(fd, &byte, 1, (off_t)cases[i].extents[0].off) == 1 &&
		   byte == page[cases[i].extents[0].off == 1 && cases[i].extents == &inside],
		   "%s: reading works", cases[i].name);
		close(fd);
	}
}

static void test_empty_view(void)
{
	int fd = kv_create(KVIEW_MAX_SIZE, NULL, 0);
	unsigned char *map;
	char byte = 1;

	ok(pread(fd, &byte, 1, KVIEW_MAX_SIZE - 1) == 1 && !byte, "the last byte of the largest view");
	is_int(pread(fd, &byte, 1, KVIEW_MAX_SIZE), 0, "and no byte after it");
	map = kv_map(fd, KVIEW_MAX_SIZE - 2 * PAGE, 2 * PAGE);
	is_int(kv_load(map + 2 * PAGE - 1), 0, "it can be mapped as well");
	munmap(map, 2 * PAGE);
	close(fd);
}

int main(void)
{
	struct kview_extent extents[2];
	int fd;

	page = kv_pages(1, &paddr);
	extents[0] = kv_ram(FIRST, PAGE, paddr);
	extents[1] = kv_ram(SECOND, PAGE, paddr);
	fd = kv_create(SIZE, extents, 2);
	test_reads(fd);
	test_map(fd);
	test_seek(fd);
	test_no_ram(0xa0000, "video memory");
	test_no_ram(0xf0000, "firmware");
	test_no_ram(0xfee00000, "the local APIC");
	test_no_ram(kv_ram_end(), "after the last RAM");
	test_no_ram(1ULL << 51, "past all physical addresses");
	test_no_ram(-PAGE, "the last page of 2^64");
	test_unmappable();
	test_empty_view();
	return finish();
}
