// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads of RAM at any offset and length: pages that only this process changes, and all of
 * RAM against /proc/kcore.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kcore.h"
#include "kv.h"
#include "tap.h"

#define NR 64
#define LOW (1UL << 20)

static unsigned char *pages;
static uint64_t paddr[NR];

/* A view of our own pages in the order of their addresses in this process. */
static int pages_view(uint64_t first_off, uint64_t gap, uint64_t *size)
{
	struct kview_extent extents[NR];
	uint64_t off = first_off;
	unsigned int i;

	for (i = 0; i < NR; i++) {
		extents[i] = kv_ram(off, PAGE, paddr[i]);
		off += PAGE + gap;
	}
	*size = off;
	return kv_create(off, extents, NR);
}

/* The byte of that view at @off. */
static unsigned char expected(uint64_t first_off, uint64_t gap, uint64_t off)
{
	uint64_t i, rest;

	if (off < first_off)
		return 0;
	i = (off - first_off) / (PAGE + gap);
	rest = (off - first_off) % (PAGE + gap);
	return i < NR && rest < PAGE ? pages[i * PAGE + rest] : 0;
}

static void test_random_reads(uint64_t first_off, uint64_t gap)
{
	static unsigned char buf[NR * (PAGE + 512)];
	unsigned int i, wrong = 0, lengths = 0;
	uint64_t size, off, j;
	size_t len, want;
	ssize_t got;
	int fd;

	fd = pages_view(first_off, gap, &size);
	srandom(1);
	for (i = 0; i < 2000; i++) {
		off = (uint64_t)random() % (size + 100);
		len = i % 4 ? (size_t)random() % 64 : (size_t)random() % sizeof(buf);
		want = off >= size ? 0 : len < size - off ? len : size - off;
		memset(buf, 0xee, sizeof(buf));
		got = pread(fd, buf, len, (off_t)off);
		if (got != (ssize_t)want)
			lengths++;
		for (j = 0; j < want; j++)
			if (buf[j] != expected(first_off, gap, off + j))
				wrong++;
		if (want < sizeof(buf) && buf[want] != 0xee)
			wrong++;
	}
	is_int(lengths, 0, "first page at %" PRIu64 ", gaps of %" PRIu64
	       ": each of 2000 reads returns what is left, at most", first_off, gap);
	is_int(wrong, 0, "and each byte is right");
	close(fd);
}

static void test_parts_of_pages(void)
{
	struct kview_extent extents[3] = {
		kv_ram(3, 100, paddr[0] + 17),
		kv_ram(103, 5, paddr[1] + PAGE - 2),
		kv_ram(5000, 1, paddr[2]),
	};
	unsigned char buf[6000];
	unsigned int i, wrong = 0;
	int fd = kv_create(5001, extents, 3);

	is_int(pread(fd, buf, sizeof(buf), 0), 5001, "a view of parts of pages");
	for (i = 0; i < 100; i++)
		wrong += buf[3 + i] != pages[17 + i];
	is_int(wrong, 0, "bytes from the middle of a page");
	ok(!memcmp(buf + 103, pages + 2 * PAGE - 2, 2), "bytes up to its end");
	ok(buf[5000] == pages[2 * PAGE], "a single byte");
	ok(kv_is_zero(buf, 3) && kv_is_zero(buf + 108, 5000 - 108), "zeros between");
	close(fd);
}

static void test_changes_are_seen(void)
{
	struct kview_extent extent = kv_ram(0, PAGE, paddr[0]);
	int fd = kv_create(PAGE, &extent, 1);
	unsigned char *map = kv_map(fd, 0, PAGE);
	unsigned char byte;

	ok(!memcmp(map, pages, PAGE), "a mapping shows the same page");
	pages[5] ^= 0xff;
	ok(pread(fd, &byte, 1, 5) == 1 && byte == pages[5], "a store is seen by the next read");
	ok(map[5] == pages[5], "and at once in the mapping");
	pages[5] ^= 0xff;
	munmap(map, PAGE);
	close(fd);
}

/* Reads both until each byte of a page was equal once. Returns the number that never was. */
static unsigned int never_agree(int fd, uint64_t at)
{
	unsigned char ours[PAGE], theirs[PAGE];
	bool agreed[PAGE] = { false };
	unsigned int tries, i, left = PAGE;

	for (tries = 0; tries < 20 && left; tries++) {
		if (!kcore_read_paddr(theirs, PAGE, at) ||
		    pread(fd, ours, PAGE, (off_t)at) != (ssize_t)PAGE)
			return PAGE;
		for (i = 0, left = 0; i < PAGE; i++) {
			agreed[i] |= ours[i] == theirs[i];
			left += !agreed[i];
		}
	}
	return left;
}

/*
 * As never_agree(), and if bytes differ, again in a child while this process waits: a page of the
 * reader's own kernel stack changes between the two reads. Returns the smaller number.
 */
static unsigned int never_agree_for_both(int fd, uint64_t at)
{
	static unsigned int *for_child;
	unsigned int bytes = never_agree(fd, at);
	int status;
	pid_t pid;

	if (!bytes)
		return 0;
	if (!for_child)
		for_child = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (for_child == MAP_FAILED)
		bail("out of memory");
	pid = fork();
	if (!pid) {
		*for_child = never_agree(fd, at);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		bail("no child to ask again");
	return *for_child < bytes ? *for_child : bytes;
}

/*
 * A read changes some bytes: /proc/kcore holds its lock during a read, and the module counts its
 * judgements. Most pages with such bytes, and most bytes in each; tests/vm/10-bytes-ram.test
 * observes them from both sides.
 */
#define MOVED_PAGES 3
#define MOVED_BYTES 256

static void test_all_ram(void)
{
	struct kv_range ranges[256];
	unsigned int i, nr = kv_iomem(ranges, 256);
	unsigned int pages_seen = 0, nonzero = 0, moved = 0, differ = 0;
	int fd = kv_ram_view();
	unsigned char buf[PAGE];
	uint64_t at;

	for (i = 0; i < nr; i++)
		for (at = ranges[i].start; at < ranges[i].end; at += 61 * PAGE) {
			unsigned int bytes = never_agree_for_both(fd, at);

			pages_seen++;
			moved += bytes && bytes <= MOVED_BYTES;
			differ += bytes > MOVED_BYTES;
			if (bytes)
				diag("page at %#" PRIx64 ": %u bytes never agree", at, bytes);
			nonzero += pread(fd, buf, PAGE, (off_t)at) == (ssize_t)PAGE &&
				   !kv_is_zero(buf, PAGE);
		}
	diag("%u pages of %u ranges compared, %u of them not zero", pages_seen, nr, nonzero);
	is_int(differ, 0, "every 61st page of RAM is as in /proc/kcore");
	ok(moved <= MOVED_PAGES, "but for %u where the reader moves some bytes", moved);
	ok(nonzero > 100, "and many are not empty");
	close(fd);
}

/* RAM below 1 MiB, which kcore/ram begins with, is mapped like all other RAM. */
static void test_low_memory(void)
{
	struct kv_range ranges[256];
	unsigned int i, tries, nr = kv_iomem(ranges, 256), seen = 0, differ = 0;
	int fd = kv_ram_view();
	unsigned char *map = kv_map(fd, 0, LOW), buf[PAGE];
	uint64_t at;

	for (i = 0; i < nr; i++)
		for (at = ranges[i].start; at < ranges[i].end && at < LOW; at += PAGE) {
			for (tries = 0; tries < 20; tries++)
				if (pread(fd, buf, PAGE, (off_t)at) == (ssize_t)PAGE &&
				    !memcmp(map + at, buf, PAGE))
					break;
			differ += tries == 20;
			seen++;
		}
	ok(seen > 100, "%u pages below 1 MiB are mapped", seen);
	is_int(differ, 0, "and have the bytes that are read");
	munmap(map, LOW);
	close(fd);
}

int main(void)
{
	pages = kv_pages(NR, paddr);
	kcore_open();
	test_random_reads(0, 0);
	test_random_reads(1, 0);
	test_random_reads(4096, 4096);
	test_random_reads(511, 77);
	test_parts_of_pages();
	test_changes_are_seen();
	test_low_memory();
	test_all_ram();
	return finish();
}
