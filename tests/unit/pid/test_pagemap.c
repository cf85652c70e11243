// SPDX-License-Identifier: GPL-2.0-only
#include "pid/pagemap.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "unit.h"

#define PAGE UINT64_C(4096)
#define NR_PAGES 64

START_TEST(test_state)
{
	static const struct {
		uint64_t entry;
		enum kvfs_pagemap_state want;
	} cases[] = {
		{ 0, KVFS_PAGEMAP_NONE },
		{ UINT64_C(1) << 55, KVFS_PAGEMAP_NONE },			/* soft-dirty only */
		{ KVFS_PAGEMAP_PRESENT | 0x1234, KVFS_PAGEMAP_MAPPED },
		{ KVFS_PAGEMAP_PRESENT | KVFS_PAGEMAP_FILE, KVFS_PAGEMAP_MAPPED },
		{ KVFS_PAGEMAP_SWAPPED, KVFS_PAGEMAP_SWAP },
		{ KVFS_PAGEMAP_SWAPPED | 22 | 7 << 5, KVFS_PAGEMAP_SWAP },
		{ KVFS_PAGEMAP_SWAPPED | 23, KVFS_PAGEMAP_BUSY },		/* pages of devices */
		{ KVFS_PAGEMAP_SWAPPED | 30 | 0xabcd << 5, KVFS_PAGEMAP_BUSY },	/* migration */
		{ KVFS_PAGEMAP_SWAPPED | 31 | 1 << 5, KVFS_PAGEMAP_NONE },	/* a marker */
		{ KVFS_PAGEMAP_PRESENT | KVFS_PAGEMAP_SWAPPED | 31, KVFS_PAGEMAP_MAPPED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(kvfs_pagemap_state(cases[i].entry) == cases[i].want, "%zu", i);
}
END_TEST

/* An end that is none of the likely ones is searched for. */
START_TEST(test_nr_pages)
{
	static const uint64_t sizes[] = { 1, 2, 3, 7, 4096, 4097, 123456789, UINT64_C(1) << 40 };
	_cleanup_close_ int fd = unit_file(NULL, 0);
	_cleanup_close_ int self = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t nr;

	ck_assert_int_eq(kvfs_pagemap_nr_pages(fd, &nr), -ESRCH);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ck_assert_int_eq(ftruncate(fd, (off_t)(sizes[i] * 8)), 0);
		ck_assert_int_eq(kvfs_pagemap_nr_pages(fd, &nr), 0);
		ck_assert_uint_eq(nr, sizes[i]);
	}
	ck_assert_int_eq(kvfs_pagemap_nr_pages(self, &nr), 0);
	ck_assert(nr == (UINT64_C(1) << 35) - 1 || nr == (UINT64_C(1) << 44) - 1);
	ck_assert_int_eq(kvfs_pagemap_nr_pages(-1, &nr), -EBADF);
}
END_TEST

/* Starts a process that only sleeps, with NR_PAGES at *addr of which every third is present. */
static pid_t start_child(uint8_t **addr)
{
	pid_t pid;

	*addr = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(*addr, MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		for (size_t i = 0; i < NR_PAGES; i += 3)
			(*addr)[i * PAGE] = 1;
		raise(SIGSTOP);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	return pid;
}

static void end_child(pid_t pid, uint8_t *addr)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	munmap(addr, NR_PAGES * PAGE);
}

static int open_pagemap(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Any offset and length can be read, although the kernel reads whole entries only. */
START_TEST(test_unaligned)
{
	uint8_t want[NR_PAGES * 8], got[NR_PAGES * 8 + 1], *addr;
	pid_t pid = start_child(&addr);
	_cleanup_close_ int fd = open_pagemap(pid);
	uint64_t base = (uintptr_t)addr / PAGE * 8, nr;

	ck_assert_int_eq(pread(fd, want, 3, (off_t)base), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(kvfs_pagemap_nr_pages(fd, &nr), 0);
	ck_assert_int_eq(pread(fd, want, sizeof(want), (off_t)base), (int)sizeof(want));
	for (size_t off = 0; off < 40; off++) {
		for (size_t len = 0; len < 40; len++) {
			memset(got, 0xee, sizeof(got));
			ck_assert_int_eq(kvfs_pagemap_read(fd, nr, got, len, base + off), (int)len);
			ck_assert_mem_eq(got, want + off, len);
			ck_assert_uint_eq(got[len], 0xee);
		}
	}
	end_child(pid, addr);
}
END_TEST

START_TEST(test_end)
{
	uint8_t buf[64], *addr;
	pid_t pid = start_child(&addr);
	_cleanup_close_ int fd = open_pagemap(pid);
	uint64_t nr, size;

	ck_assert_int_eq(kvfs_pagemap_nr_pages(fd, &nr), 0);
	size = nr * 8;
	/* A read across the end is cut short, and one past it returns 0. */
	ck_assert_int_eq(pread(fd, buf, 32, (off_t)size - 16), 16);
	for (size_t before = 1; before < 30; before++)
		ck_assert_int_eq(kvfs_pagemap_read(fd, nr, buf, 64, size - before), (int)before);
	ck_assert_int_eq(kvfs_pagemap_read(fd, nr, buf, 64, size), 0);
	ck_assert_int_eq(kvfs_pagemap_read(fd, nr, buf, 64, size + 5), 0);
	ck_assert_int_eq(kvfs_pagemap_read(fd, nr, buf, 64, UINT64_MAX), 0);
	ck_assert_int_eq(kvfs_pagemap_read(fd, nr, buf, 0, 0), 0);
	end_child(pid, addr);
}
END_TEST

static const struct kvfs_pagemap_query present = {
	.anyof = KVFS_PAGEMAP_SCAN_PRESENT,
	.report = KVFS_PAGEMAP_SCAN_PRESENT | KVFS_PAGEMAP_SCAN_FILE,
};

static const struct kvfs_pagemap_query absent = {
	.anyof = KVFS_PAGEMAP_SCAN_PRESENT,
	.inverted = KVFS_PAGEMAP_SCAN_PRESENT,
	.report = KVFS_PAGEMAP_SCAN_PRESENT,
};

START_TEST(test_gone)
{
	struct kvfs_pagemap_region region;
	uint64_t nr, entry, walked;
	uint8_t buf[64], *addr;
	pid_t pid = start_child(&addr);
	_cleanup_close_ int fd = open_pagemap(pid);

	ck_assert_int_eq(kvfs_pagemap_nr_pages(fd, &nr), 0);
	ck_assert_int_eq(kvfs_pagemap_read_entries(fd, &entry, 1, 0), 0);
	end_child(pid, addr);
	ck_assert_int_eq(kvfs_pagemap_read(fd, nr, buf, 64, 0), -ESRCH);
	ck_assert_int_eq(kvfs_pagemap_read(fd, nr, buf, 64, 3), -ESRCH);
	ck_assert_int_eq(kvfs_pagemap_read(fd, nr, buf, 3, 0), -ESRCH);
	ck_assert_int_eq(kvfs_pagemap_read_entries(fd, &entry, 1, 0), -ESRCH);
	ck_assert_int_eq(kvfs_pagemap_nr_pages(fd, &nr), -ESRCH);
	/* Some kernels walk the empty address space. */
	if (kvfs_pagemap_can_scan())
		ck_assert_int_le(kvfs_pagemap_scan(fd, 0, PAGE, &present, &region, 1, &walked), 0);
}
END_TEST

/* PAGEMAP_SCAN finds the pages that are present by their entries, also with room for two regions only. */
START_TEST(test_scan)
{
	struct kvfs_pagemap_region v[2];
	uint8_t *addr;
	pid_t pid = start_child(&addr);
	_cleanup_close_ int fd = open_pagemap(pid);
	uint64_t start = (uintptr_t)addr, end = start + NR_PAGES * PAGE, at = start;
	size_t found = 0;

	while (kvfs_pagemap_can_scan() && at < end) {
		ssize_t n = kvfs_pagemap_scan(fd, at, end, &present, v, 2, &at);

		ck_assert_int_ge(n, 0);
		for (ssize_t i = 0; i < n; i++) {
			ck_assert_uint_eq(v[i].start, start + found * 3 * PAGE);
			ck_assert_uint_eq(v[i].end, v[i].start + PAGE);
			ck_assert_uint_eq(v[i].categories, present.report);
			found++;
		}
	}
	ck_assert(!kvfs_pagemap_can_scan() || found == (NR_PAGES + 2) / 3);
	/* And the pages between them. */
	for (at = start, found = 0; kvfs_pagemap_can_scan() && at < end;) {
		ssize_t n = kvfs_pagemap_scan(fd, at, end, &absent, v, 2, &at);

		ck_assert_int_ge(n, 0);
		for (ssize_t i = 0; i < n; i++) {
			ck_assert_uint_eq(v[i].start, start + (found * 3 + 1) * PAGE);
			ck_assert_uint_eq(v[i].end, v[i].start + 2 * PAGE);
			ck_assert_uint_eq(v[i].categories, 0);
			found++;
		}
	}
	ck_assert(!kvfs_pagemap_can_scan() || found == NR_PAGES / 3);
	ck_assert_int_lt(kvfs_pagemap_scan(-1, 0, PAGE, &present, v, 2, &at), 0);
	end_child(pid, addr);
}
END_TEST

UNIT_MAIN("pagemap", test_state, test_nr_pages, test_unaligned, test_end, test_gone, test_scan)
