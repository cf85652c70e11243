// SPDX-License-Identifier: GPL-2.0-only
/* What else the kernel can do to a mapping: fork, mremap, partial munmap, madvise. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define LEN (8 * PMD)

/* New in Linux 6.1, and in a C library later still. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static uint64_t base;
static int fd;

/* Whether each page of a range can be loaded from; what is in it may change as we look. */
static bool loads(const unsigned char *addr, size_t len)
{
	size_t off;

	for (off = 0; off < len; off += PAGE)
		if (kv_load(addr + off) < 0)
			return false;
	return true;
}

/* Exit status of a child that runs @check. */
static int in_child(bool (*check)(const unsigned char *), const unsigned char *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(!check(arg));
	waitpid(pid, &status, 0);
	return status;
}

static bool all_loads(const unsigned char *map)
{
	return loads(map, LEN);
}

static bool unmap_a_part(const unsigned char *map)
{
	unsigned char *mine = (unsigned char *)map;

	return !munmap(mine + PMD, PMD) && loads(mine, PMD) && kv_load(mine + PMD) == -SIGSEGV &&
	       loads(mine + 2 * PMD, LEN - 2 * PMD);
}

static void test_fork(void)
{
	unsigned char *map = kv_map_at(fd, base, LEN, PMD);

	is_int(in_child(all_loads, map), 0, "a child faults in what its parent has not");
	kv_touch(map, LEN);
	is_int(in_child(all_loads, map), 0, "a child has what its parent has");
	is_int(in_child(unmap_a_part, map), 0, "a child unmaps a part");
	ok(loads(map, LEN), "and the parent keeps it");
	munmap(map, LEN);
}

static void test_partial_munmap(void)
{
	unsigned char *map = kv_map_at(fd, base, LEN, PMD);

	kv_touch(map, LEN);
	is_int(munmap(map + PMD + 16 * PAGE, 16 * PAGE), 0, "munmap inside a 2 MiB entry");
	ok(loads(map, PMD + 16 * PAGE), "what is before it stays");
	is_int(kv_load(map + PMD + 16 * PAGE), -SIGSEGV, "it is gone");
	is_int(kv_load(map + PMD + 32 * PAGE - 1), -SIGSEGV, "to its end");
	ok(loads(map + PMD + 32 * PAGE, LEN - PMD - 32 * PAGE), "what is after it stays");
	munmap(map, LEN);
}

static void test_mprotect(void)
{
	unsigned char *map = kv_map_at(fd, base, LEN, PMD);

	kv_touch(map, LEN);
	is_int(mprotect(map + PMD, PAGE, PROT_NONE), 0, "mprotect inside a 2 MiB entry");
	is_int(kv_load(map + PMD), -SIGSEGV, "the page cannot be loaded");
	ok(loads(map + PMD + PAGE, LEN - PMD - PAGE), "the rest can");
	is_int(mprotect(map + PMD, PAGE, PROT_READ), 0, "and back");
	ok(loads(map, LEN), "all can be loaded again");
	munmap(map, LEN);
}

static void test_mremap(const unsigned char *page, uint64_t paddr)
{
	struct kview_extent extent = kv_ram(0, PAGE, paddr);
	int one = kv_create(PAGE, &extent, 1);
	unsigned char *map = kv_map(one, 0, PAGE), *room, *moved;

	kv_touch(map, PAGE);
	room = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moved = mremap(map, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	ok(moved == room && !memcmp(moved, page, PAGE), "a mapping can be moved");
	is_int(kv_load(map), -SIGSEGV, "and is not in the old place any more");
	ok(mremap(moved, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT,
	   "it cannot grow");
	munmap(moved, PAGE);
	close(one);

	map = kv_map_at(fd, base, LEN, PMD);
	kv_touch(map, LEN);
	room = mmap(NULL, LEN + PMD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moved = mremap(map, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, room + PAGE);
	ok(moved == room + PAGE && loads(moved, LEN), "huge entries move, to another alignment too");
	moved = mremap(moved, LEN, PMD, 0);
	ok(moved == room + PAGE && loads(moved, PMD), "and can shrink");
	munmap(room, LEN + PMD);
}

static void test_madvise(const unsigned char *page, uint64_t paddr)
{
	struct kview_extent extent = kv_ram(0, PAGE, paddr);
	int one = kv_create(PAGE, &extent, 1);
	unsigned char *map = kv_map(one, 0, PAGE);
	unsigned char residency = 1;

	kv_touch(map, PAGE);
	madvise(map, PAGE, MADV_DONTNEED);
	ok(!memcmp(map, page, PAGE), "MADV_DONTNEED harms nothing");
	madvise(map, PAGE, MADV_HUGEPAGE);
	madvise(map, PAGE, MADV_COLLAPSE);
	ok(!memcmp(map, page, PAGE), "MADV_COLLAPSE harms nothing");
	is_int(madvise(map, PAGE, MADV_POPULATE_READ) ? errno : 0, EINVAL,
	       "MADV_POPULATE_READ is refused");
	is_int(madvise(map, PAGE, MADV_REMOVE) ? errno : 0, EACCES, "MADV_REMOVE is refused");
	is_int(mlock(map, PAGE), 0, "mlock is accepted");
	is_int(msync(map, PAGE, MS_SYNC), 0, "msync has nothing to do");
	is_int(mincore(map, PAGE, &residency), 0, "mincore can be asked");
	ok(!memcmp(map, page, PAGE), "and the page is there as before");
	munmap(map, PAGE);
	close(one);
}

static void test_outlives_descriptor(const unsigned char *page, uint64_t paddr)
{
	struct kview_extent extent = kv_ram(0, PAGE, paddr);
	unsigned int before = kv_info().nr_views;
	int one = kv_create(PAGE, &extent, 1);
	unsigned char *map = kv_map(one, 0, PAGE);

	close(one);
	is_int(kv_load(map), page[0], "a mapping outlives its descriptor");
	is_int(kv_info().nr_views, before + 1, "and so does its view");
	munmap(map, PAGE);
	is_int(kv_info().nr_views, before, "both end together");
}

int main(void)
{
	unsigned char *page;
	uint64_t paddr;

	if (!kv_find_ram(LEN, PMD, &base))
		bail("no 16 MiB of RAM in one piece");
	fd = kv_ram_view();
	page = kv_pages(1, &paddr);
	test_fork();
	test_partial_munmap();
	test_mprotect();
	test_mremap(page, paddr);
	test_madvise(page, paddr);
	test_outlives_descriptor(page, paddr);
	return finish();
}
