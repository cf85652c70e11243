// SPDX-License-Identifier: GPL-2.0-only
#include "pid/maps.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "child.h"
#include "unit.h"

#define PAGE UINT64_C(4096)

START_TEST(test_parse_line)
{
	static const struct {
		const char *line;
		struct kvfs_mapping want;
	} cases[] = {
		{ "55d0c0000000-55d0c0021000 rw-p 00000000 00:00 0                          [heap]\n",
		  { 0x55d0c0000000, 0x55d0c0021000, 0, 0, 0, 0, KVFS_MAPPING_ANON, false } },
		{ "7f00-8f00 r-xp 00002000 fe:00 14884907                   /usr/lib/x y (deleted)\n",
		  { 0x7f00, 0x8f00, 0x2000, 14884907, 0xfe, 0, KVFS_MAPPING_FILE, false } },
		{ "0-1000 rw-s fffffffffffff000 103:5 18446744073709551615 /dev/zero",
		  { 0, 0x1000, 0xfffffffffffff000, UINT64_MAX, 0x103, 5, KVFS_MAPPING_FILE, true } },
		{ "7ffc0000-7ffd0000 r-xp 00000000 00:00 0                  [vdso]\n",
		  { 0x7ffc0000, 0x7ffd0000, 0, 0, 0, 0, KVFS_MAPPING_SPECIAL, false } },
		{ "7ffc0000-7ffd0000 r--p 00000000 00:00 0 [vvar_vclock]\n",
		  { 0x7ffc0000, 0x7ffd0000, 0, 0, 0, 0, KVFS_MAPPING_SPECIAL, false } },
		{ "7ffc0000-7ffd0000 rw-p 00000000 00:00 0 [stack:123]\n",
		  { 0x7ffc0000, 0x7ffd0000, 0, 0, 0, 0, KVFS_MAPPING_ANON, false } },
		{ "7ffc0000-7ffd0000 rw-p 00000000 00:00 0 [anon:my heap]\n",
		  { 0x7ffc0000, 0x7ffd0000, 0, 0, 0, 0, KVFS_MAPPING_ANON, false } },
		{ "7ffc0000-7ffd0000 ---p 00000000 00:00 0 \n",
		  { 0x7ffc0000, 0x7ffd0000, 0, 0, 0, 0, KVFS_MAPPING_ANON, false } },
		{ "7ffc0000-7ffd0000 ---p 00000000 00:00 0\n",
		  { 0x7ffc0000, 0x7ffd0000, 0, 0, 0, 0, KVFS_MAPPING_ANON, false } },
		{ "1000-2000 rw-s 00000000 00:01 1042 /[vdso] (deleted)\n",
		  { 0x1000, 0x2000, 0, 1042, 0, 1, KVFS_MAPPING_FILE, true } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct kvfs_mapping *want = &cases[i].want;
		struct kvfs_mapping map;

		ck_assert_msg(kvfs_maps_parse_line(cases[i].line, strlen(cases[i].line), &map) == 0,
			      "%s", cases[i].line);
		ck_assert_uint_eq(map.start, want->start);
		ck_assert_uint_eq(map.end, want->end);
		ck_assert_uint_eq(map.file_off, want->file_off);
		ck_assert_uint_eq(map.inode, want->inode);
		ck_assert_uint_eq(map.dev_major, want->dev_major);
		ck_assert_uint_eq(map.dev_minor, want->dev_minor);
		ck_assert_msg(map.kind == want->kind && map.shared == want->shared, "%s", cases[i].line);
	}
}
END_TEST

START_TEST(test_malformed_lines)
{
	static const char *const lines[] = {
		"", "\n", "-", "1000", "1000-", "1000-2000", "1000-2000 ", "1000-2000 rw-p",
		"1000-2000 rw-p ", "1000-2000 rw-x 0 00:00 0", "1000-2000 rwp 0 00:00 0",
		"2000-1000 rw-p 00000000 00:00 0 ", "1000-1000 rw-p 00000000 00:00 0 ",
		"1000-2000 rw-p 00000000 00:00 ", "1000-2000 rw-p 00000000 0000 0 ",
		"1000-2000 rw-p 00000000 100000000:00 0 ", "1000-2000 rw-p zz 00:00 0 ",
		"10000000000000000-20000000000000000 rw-p 0 00:00 0 ", "1000-2000 rw-p 0 00:00 0x ",
		"1000-2000 rw-p 0 00:00 ab ", "1000-2000 rw-p 0 00:00 99999999999999999999 ",
		" 1000-2000 rw-p 0 00:00 0 ", "1000_2000 rw-p 0 00:00 0 ",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t len = strlen(lines[i]);
		char *exact = malloc(len + 1);	/* so that the sanitizer sees a read past its end */
		struct kvfs_mapping map;

		memcpy(exact, lines[i], len);
		ck_assert_msg(kvfs_maps_parse_line(exact, len, &map) == -EINVAL, "\"%s\"", lines[i]);
		free(exact);
	}
}
END_TEST

/* Makes a directory with a file `maps` of a text. */
static int fake_process(const char *text)
{
	char dir[] = "/tmp/unit-procmaps.XXXXXX", path[64];
	FILE *f;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/maps", dir);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static void remove_fake(int dir)
{
	char link[64], path[64] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	ck_assert_int_gt(readlink(link, path, sizeof(path) - 1), 0);
	unlinkat(dir, "maps", 0);
	rmdir(path);
	close(dir);
}

static const char three[] =
	"10000-12000 rw-p 00000000 00:00 0 \n"
	"12000-13000 r--p 00000000 00:00 0 \n"
	"20000-21000 rw-p 00000000 00:00 0                          [heap]\n"
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

START_TEST(test_find_in_text)
{
	static const struct {
		uint64_t addr, start;	/* start 0: none */
	} cases[] = {
		{ 0, 0x10000 }, { 0x10000, 0x10000 }, { 0x11fff, 0x10000 }, { 0x12000, 0x12000 },
		{ 0x13000, 0x20000 }, { 0x20000, 0x20000 }, { 0x20fff, 0x20000 },
		{ 0x21000, 0xffffffffff600000 }, { 0xffffffffff601000, 0 }, { 0x12000, 0x12000 },
		{ UINT64_MAX, 0 }, { 0x21000, 0xffffffffff600000 }, { 0, 0x10000 },
	};
	int dir = fake_process(three);
	struct kvfs_maps *maps;
	struct kvfs_mapping map;

	ck_assert_int_eq(kvfs_maps_open(dir, true, &maps), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ret = kvfs_maps_find(maps, cases[i].addr, &map);

		ck_assert_msg(ret == (cases[i].start != 0), "%zu", i);
		ck_assert_msg(!ret || map.start == cases[i].start, "%zu", i);
	}
	kvfs_maps_close(maps);
	remove_fake(dir);
}
END_TEST

START_TEST(test_long_and_broken_text)
{
	size_t len = 64 * 1024;
	char *text = malloc(len);
	struct kvfs_maps *maps;
	struct kvfs_mapping map;
	size_t used = 0;
	int dir;

	/* More text than the buffer holds, so that lines lie across its end. */
	for (unsigned int i = 1; used < len - 200; i++)
		used += (size_t)sprintf(text + used, "%x000-%x000 rw-p 00000000 00:00 0    [anon:%0*d]\n",
					i * 2, i * 2 + 1, (int)(i % 80) + 1, 7);
	dir = fake_process(text);
	ck_assert_int_eq(kvfs_maps_open(dir, true, &maps), 0);
	for (uint64_t i = 1; i < 500; i++) {
		ck_assert_int_eq(kvfs_maps_find(maps, i * 0x2000 - 1, &map), 1);
		ck_assert_uint_eq(map.start, i * 0x2000);
	}
	kvfs_maps_close(maps);
	remove_fake(dir);
	/* One line longer than the buffer. */
	memset(text, 'x', len - 1);
	text[len - 1] = '\0';
	dir = fake_process(text);
	ck_assert_int_eq(kvfs_maps_open(dir, true, &maps), 0);
	ck_assert_int_eq(kvfs_maps_find(maps, 0, &map), -EINVAL);
	kvfs_maps_close(maps);
	remove_fake(dir);
	/* A line that is cut off. */
	dir = fake_process("10000-12000 rw-p 00000000 00:00 0 \n12000-130");
	ck_assert_int_eq(kvfs_maps_open(dir, true, &maps), 0);
	ck_assert_int_eq(kvfs_maps_find(maps, 0, &map), 1);
	ck_assert_int_eq(kvfs_maps_find(maps, 0x12000, &map), -EINVAL);
	kvfs_maps_close(maps);
	remove_fake(dir);
	free(text);
}
END_TEST

/* Pages 0x10 to 0x12, 0x13, and 0x3000: two gaps, of which one is too small for a hole. */
static const char gaps[] =
	"10000-12000 rw-p 00000000 00:00 0 \n"
	"12000-13000 r--p 00000000 00:00 0 \n"
	"14000-15000 r--p 00000000 00:00 0 \n"
	"3000000-3001000 rw-p 00000000 00:00 0                          [heap]\n"
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

START_TEST(test_seek)
{
	const uint64_t nr = 0x8000;		/* pages: the address space ends at 0x8000000 */
	static const struct {
		uint64_t page;
		int whence;
		int ret;
		uint64_t want;
	} cases[] = {
		{ 0, SEEK_DATA, 0, 0x10 }, { 0, SEEK_HOLE, 0, 0 }, { 0x10, SEEK_DATA, 0, 0x10 },
		{ 0x11, SEEK_DATA, 0, 0x11 }, { 0x10, SEEK_HOLE, 0, 0x15 }, { 0x12, SEEK_HOLE, 0, 0x15 },
		{ 0x13, SEEK_DATA, 0, 0x14 }, { 0x14, SEEK_HOLE, 0, 0x15 }, { 0x15, SEEK_HOLE, 0, 0x15 },
		{ 0x15, SEEK_DATA, 0, 0x3000 }, { 0x3000, SEEK_HOLE, 0, 0x3001 },
		{ 0x3001, SEEK_DATA, -ENXIO, 0 }, { 0x3001, SEEK_HOLE, 0, 0x3001 },
		{ 0x7fff, SEEK_HOLE, 0, 0x7fff }, { 0x8000, SEEK_HOLE, -ENXIO, 0 },
		{ 0x8000, SEEK_DATA, -ENXIO, 0 }, { 0x8001, SEEK_DATA, -ENXIO, 0 },
		{ 0x10, SEEK_SET, -EINVAL, 0 },
	};
	int dir = fake_process(gaps);
	struct kvfs_maps *maps;
	uint64_t out;

	ck_assert_int_eq(kvfs_maps_open(dir, true, &maps), 0);
	for (size_t len = 1; len <= 8; len += 7) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			int ret = kvfs_maps_seek(maps, nr, len, cases[i].page * len, cases[i].whence, &out);

			ck_assert_msg(ret == cases[i].ret, "%zu: %d", i, ret);
			ck_assert_msg(ret || out == cases[i].want * len, "%zu: %#lx", i, out);
		}
	}
	/* An offset inside an entry is data. */
	ck_assert_int_eq(kvfs_maps_seek(maps, nr, 8, 0x10 * 8 + 3, SEEK_DATA, &out), 0);
	ck_assert_uint_eq(out, 0x10 * 8 + 3);
	ck_assert_int_eq(kvfs_maps_seek(maps, nr, 8, 0xf * 8 + 3, SEEK_DATA, &out), 0);
	ck_assert_uint_eq(out, 0x10 * 8);
	ck_assert_int_eq(kvfs_maps_seek(maps, nr, 8, UINT64_MAX, SEEK_DATA, &out), -ENXIO);
	/* Data ends with the address space, inside a mapping or before the next one. */
	ck_assert_int_eq(kvfs_maps_seek(maps, 0x11, 8, 0x10 * 8, SEEK_HOLE, &out), 0);
	ck_assert_uint_eq(out, 0x11 * 8);
	ck_assert_int_eq(kvfs_maps_seek(maps, 0x14, 8, 0x10 * 8, SEEK_HOLE, &out), 0);
	ck_assert_uint_eq(out, 0x13 * 8);
	ck_assert_int_eq(kvfs_maps_seek(maps, 0x10, 8, 0, SEEK_DATA, &out), -ENXIO);
	kvfs_maps_close(maps);
	remove_fake(dir);
}
END_TEST

/* Gaps of pagemap to the byte: a hole has a whole block, 512 entries that begin at a multiple of 512. */
START_TEST(test_smallest_hole)
{
	static const struct {
		unsigned int end, next;		/* pages */
		bool hole;
	} cases[] = {
		{ 512, 1023, false }, { 512, 1024, true }, { 513, 1024, false }, { 513, 1535, false },
		{ 513, 1536, true }, { 511, 1024, true }, { 511, 1023, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t want = (cases[i].hole ? cases[i].end : cases[i].next + 1) * 8, out;
		struct kvfs_maps *maps;
		char text[200];
		int dir;

		snprintf(text, sizeof(text), "1000-%x000 rw-p 00000000 00:00 0 \n%x000-%x000 rw-p 00000000 00:00 0 \n",
			 cases[i].end, cases[i].next, cases[i].next + 1);
		dir = fake_process(text);
		ck_assert_int_eq(kvfs_maps_open(dir, true, &maps), 0);
		ck_assert_int_eq(kvfs_maps_seek(maps, 0x8000, 8, 8, SEEK_HOLE, &out), 0);
		ck_assert_msg(out == want, "%zu: %#lx", i, out);
		kvfs_maps_close(maps);
		remove_fake(dir);
	}
}
END_TEST

/* The text and PROCMAP_QUERY agree. A child does not map memory meanwhile, as sanitizers do here. */
START_TEST(test_query_equals_text)
{
	_cleanup_close_ int dir = -1;
	char path[32];
	pid_t pid;
	struct kvfs_maps *text, *query;
	struct kvfs_mapping a, b;
	uint64_t addr = 0;
	size_t count = 0;

	if (!kvfs_maps_can_query())
		return;
	pid = child_start();
	snprintf(path, sizeof(path), "/proc/%d", pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(kvfs_maps_open(dir, true, &text), 0);
	ck_assert_int_eq(kvfs_maps_open(dir, false, &query), 0);
	while (kvfs_maps_find(query, addr, &a) == 1) {
		ck_assert_int_eq(kvfs_maps_find(text, addr, &b), 1);
		ck_assert_uint_eq(a.start, b.start);
		ck_assert_uint_eq(a.end, b.end);
		ck_assert_uint_eq(a.file_off, b.file_off);
		ck_assert_uint_eq(a.inode, b.inode);
		ck_assert_uint_eq(a.dev_major, b.dev_major);
		ck_assert_uint_eq(a.dev_minor, b.dev_minor);
		ck_assert_int_eq(a.kind, b.kind);
		ck_assert_int_eq(a.shared, b.shared);
		addr = a.end;
		count++;
	}
	ck_assert_uint_gt(count, 10);
	/* [vsyscall], which is no mapping: only the text has it. */
	ck_assert_int_eq(kvfs_maps_find(query, addr, &a), 0);
	kvfs_maps_close(text);
	kvfs_maps_close(query);
	child_end(pid);
}
END_TEST

START_TEST(test_open_fails)
{
	_cleanup_close_ int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct kvfs_maps *maps;

	ck_assert_int_eq(kvfs_maps_open(dir, false, &maps), -ESRCH);
	kvfs_maps_close(NULL);
}
END_TEST

UNIT_MAIN("maps", test_parse_line, test_malformed_lines, test_find_in_text,
	  test_long_and_broken_text, test_seek, test_smallest_hole, test_query_equals_text, test_open_fails)
