// SPDX-License-Identifier: GPL-2.0-only
#include "pid/pagecache.h"

#include <errno.h>

#include "base/cleanup.h"
#include "unit.h"

#define PAGE UINT64_C(4096)
#define NR_PAGES 64
#define MARK 0x20

/* Opens the file of the mapping of this process at p. */
static int open_mapping(void *p, struct kvfs_mapping *map, struct kvfs_pagecache *cache)
{
	_cleanup_close_ int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct kvfs_may_block may_block = { 0 };
	struct kvfs_maps *maps;
	int ret;

	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(kvfs_maps_open(self, true, &maps), 0);
	ck_assert_int_eq(kvfs_maps_find(maps, (uintptr_t)p, map), 1);
	ck_assert_int_eq(map->kind, KVFS_MAPPING_FILE);
	kvfs_maps_close(maps);
	ret = kvfs_pagecache_open(self, &may_block, map, cache);
	kvfs_may_block_deinit(&may_block);
	return ret;
}

/* Makes an unlinked file of nr_pages pages in /var/tmp. */
static int disk_file(size_t nr_pages)
{
	char path[] = "/var/tmp/unit-pagecache.XXXXXX", page[PAGE] = { 1 };
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	for (size_t i = 0; i < nr_pages; i++)
		ck_assert_int_eq(write(fd, page, sizeof(page)), sizeof(page));
	return fd;
}

START_TEST(test_kinds)
{
	static const struct {
		const char *path;
		enum kvfs_pagecache_kind want;
	} cases[] = {
		{ NULL, KVFS_PAGECACHE_SHMEM },			/* shared anonymous memory */
		{ "/proc/self/exe", KVFS_PAGECACHE_PAGES },
	};
	struct kvfs_may_block may_block = { 0 };
	struct kvfs_pagecache cache;
	struct kvfs_mapping map;
	int fd;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		void *p;

		fd = cases[i].path ? open(cases[i].path, O_RDONLY) : -1;
		p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
		ck_assert_int_eq(open_mapping(p, &map, &cache), 0);
		/* The program of this test may be on tmpfs. */
		ck_assert(cache.kind == cases[i].want || (cases[i].path && cache.kind == KVFS_PAGECACHE_SHMEM));
		ck_assert_int_ge(cache.fd, 0);
		kvfs_pagecache_close(&cache);
		munmap(p, PAGE);
	}
	/* A device is not opened. */
	fd = open("/dev/zero", O_RDWR);
	ck_assert_int_eq(open_mapping(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), &map, &cache), 0);
	ck_assert_int_eq(cache.kind, KVFS_PAGECACHE_DEVICE);
	ck_assert_int_eq(cache.fd, -1);
	/* A mapping that is gone. */
	map.end += PAGE;
	fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(kvfs_pagecache_open(fd, &may_block, &map, &cache), -ENOENT);
	kvfs_may_block_deinit(&may_block);
	close(fd);
}
END_TEST

START_TEST(test_blocking_files_are_not_opened)
{
	struct kvfs_may_block may_block = {
		.theirs = strdup("20 1 0:7777 / /mnt/a rw - fuse.kviewfs kviewfs ro\n"
				 "21 1 8:7778 / /mnt/b rw - fuseblk /dev/sda rw\n"
				 "22 1 8:7779 / /mnt/c rw - ext4 /dev/sdb rw\n"),
	};
	struct kvfs_mapping map = { .start = PAGE, .end = 2 * PAGE, .kind = KVFS_MAPPING_FILE };
	struct kvfs_pagecache cache;

	for (map.dev_minor = 7777; map.dev_minor < 7779; map.dev_minor++) {
		/* Without a directory of the process: nothing is opened. */
		ck_assert_int_eq(kvfs_pagecache_open(-1, &may_block, &map, &cache), 0);
		ck_assert_int_eq(cache.kind, KVFS_PAGECACHE_OPAQUE);
		ck_assert_int_eq(cache.fd, -1);
		map.dev_major = 8;
	}
	ck_assert_int_eq(kvfs_pagecache_open(-1, &may_block, &map, &cache), -EBADF);
	kvfs_may_block_deinit(&may_block);
}
END_TEST

START_TEST(test_resident)
{
	_cleanup_close_ int fd = disk_file(NR_PAGES);
	uint8_t vec[NR_PAGES + 2], *p;
	unsigned char want[NR_PAGES];
	struct kvfs_pagecache cache;
	struct kvfs_mapping map;

	fsync(fd);
	posix_fadvise(fd, 10 * PAGE, 20 * PAGE, POSIX_FADV_DONTNEED);
	/* The mapping has two pages past the end of the file. */
	p = mmap(NULL, (NR_PAGES - 4 + 2) * PAGE, PROT_READ, MAP_SHARED, fd, 4 * PAGE);
	ck_assert_int_eq(open_mapping(p, &map, &cache), 0);
	memset(vec, MARK, sizeof(vec));
	vec[1] |= 1;
	ck_assert_int_eq(kvfs_pagecache_resident(&cache, (uintptr_t)p + PAGE, vec, NR_PAGES - 5 + 2), 0);
	ck_assert_int_eq(mincore(p, (NR_PAGES - 4) * PAGE, want), 0);
	for (size_t i = 0; i < NR_PAGES - 5; i++)
		ck_assert_msg(vec[i] == (MARK | (want[i + 1] & 1)), "page %zu", i);
	ck_assert_uint_eq(vec[NR_PAGES - 5], MARK);
	ck_assert_uint_eq(vec[NR_PAGES - 5 + 1], MARK);
	kvfs_pagecache_close(&cache);
	munmap(p, (NR_PAGES - 4 + 2) * PAGE);
}
END_TEST

/* Offsets that no file has. */
START_TEST(test_overflow)
{
	struct kvfs_pagecache cache = {
		.kind = KVFS_PAGECACHE_PAGES, .fd = unit_file("x", 1), .start = PAGE,
		.file_off = INT64_MAX - PAGE + 1,
	};
	uint8_t vec[4] = { 0 };

	ck_assert_int_eq(kvfs_pagecache_resident(&cache, 3 * PAGE, vec, 4), -EOVERFLOW);
	ck_assert_int_eq(kvfs_pagecache_mark_swapped(&cache, 3 * PAGE, vec, 4, MARK), -EOVERFLOW);
	ck_assert_int_eq(kvfs_pagecache_mark_cache(&cache, 3 * PAGE, vec, 4, 0, 8, 16), -EOVERFLOW);
	cache.file_off = UINT64_MAX;
	ck_assert_int_eq(kvfs_pagecache_resident(&cache, 3 * PAGE, vec, 4), -EOVERFLOW);
	kvfs_pagecache_close(&cache);
}
END_TEST

/* Data that is not resident is in swap. Here vec only claims that pages are not resident. */
START_TEST(test_mark_swapped)
{
	_cleanup_close_ int fd = memfd_create("unit", MFD_CLOEXEC);
	struct kvfs_pagecache cache = { .kind = KVFS_PAGECACHE_SHMEM, .fd = fd, .start = PAGE };
	uint8_t vec[NR_PAGES] = { 0 }, page[PAGE] = { 1 };

	ck_assert_int_eq(ftruncate(fd, (NR_PAGES - 8) * PAGE), 0);
	for (size_t i = 0; i < 30; i++)
		if (i % 5 < 3)
			ck_assert_int_eq(pwrite(fd, page, PAGE, (off_t)(i * PAGE)), (int)PAGE);
	vec[0] = vec[11] = vec[3] = 1;
	ck_assert_int_eq(kvfs_pagecache_mark_swapped(&cache, PAGE, vec, NR_PAGES, MARK), 0);
	for (size_t i = 0; i < NR_PAGES; i++) {
		uint8_t want = i == 0 || i == 11 || i == 3 ? 1 : i < 30 && i % 5 < 3 ? MARK : 0;

		ck_assert_msg(vec[i] == want, "page %zu: %#x", i, vec[i]);
	}
}
END_TEST

START_TEST(test_mark_cache)
{
	_cleanup_close_ int fd = memfd_create("unit", MFD_CLOEXEC);
	struct kvfs_pagecache cache = { .kind = KVFS_PAGECACHE_SHMEM, .fd = fd, .start = PAGE };
	uint8_t vec[NR_PAGES] = { 0 }, page[PAGE] = { 1 };
	int ret;

	ck_assert_int_eq(ftruncate(fd, NR_PAGES * PAGE), 0);
	for (size_t i = 0; i < 40; i++)
		if (i % 4 < 2)
			ck_assert_int_eq(pwrite(fd, page, PAGE, (off_t)(i * PAGE)), (int)PAGE);
	/* vec claims that all pages below 40 are resident: those not in the page cache are in the swap cache. */
	for (size_t i = 0; i < 40; i++)
		vec[i] = i == 1 ? 1 | 2 : 1;
	ret = kvfs_pagecache_mark_cache(&cache, PAGE, vec, NR_PAGES, 2, 8, 16);
	if (ret == -ENOSYS)
		return;
	ck_assert_int_eq(ret, 0);
	for (size_t i = 0; i < NR_PAGES; i++) {
		uint8_t want = i >= 40 ? 0 : i == 1 ? 3 : i % 4 < 2 ? 1 | 8 : 1 | 16;

		ck_assert_msg(vec[i] == want, "page %zu: %#x", i, vec[i]);
	}
}
END_TEST

UNIT_MAIN("pagecache", test_kinds, test_blocking_files_are_not_opened, test_resident, test_overflow,
	  test_mark_swapped, test_mark_cache)
