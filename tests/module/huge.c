// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to map RAM: one fault for 2 MiB, by a huge entry, or by small entries where the
 * kernel has no huge ones or is configured not to use them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define THP "/sys/kernel/mm/transparent_hugepage/enabled"

static int fd;

/* Faults to touch [paddr, paddr + len) in a new mapping. */
static long faults(uint64_t paddr, uint64_t len, uint64_t align, int advice)
{
	unsigned char *map = kv_map_at(fd, paddr, len, align);
	long before, after;

	if (advice >= 0)
		madvise(map, len, advice);
	before = kv_minflt();
	kv_touch(map, len);
	after = kv_minflt();
	munmap(map, len);
	return after - before;
}

static void test_setting(const char *setting, uint64_t paddr, uint64_t len)
{
	long nr, most = (long)(len / PMD) + 8;

	if (kv_write_file(THP, setting)) {
		skip(1, "this kernel has no transparent huge pages");
		return;
	}
	nr = faults(paddr, len, PMD, -1);
	ok(nr <= most, "THP %s: %ld faults for %" PRIu64 " MiB, at most %ld", setting, nr,
	   (uint64_t)(len / MIB), most);
}

static void test_shifted(uint64_t paddr, uint64_t len)
{
	struct kview_extent extent = kv_ram(PAGE, len, paddr);
	int shifted = kv_create(PAGE + len, &extent, 1);
	unsigned char *map = kv_map(shifted, 0, PAGE + len);
	long nr = kv_minflt();

	kv_touch(map, PAGE + len);
	nr = kv_minflt() - nr;
	ok(nr <= (long)(len / PMD) + 8, "offset and address differ modulo 2 MiB: %ld faults", nr);
	munmap(map, PAGE + len);
	close(shifted);
}

static void test_partial(uint64_t paddr)
{
	unsigned char *map = kv_map_at(fd, paddr + PAGE, 2 * PMD - 2 * PAGE, PMD);
	long nr = kv_minflt();

	kv_touch(map, 2 * PMD - 2 * PAGE);
	nr = kv_minflt() - nr;
	ok(nr <= 6, "a mapping that has no whole 2 MiB block: %ld faults", nr);
	munmap(map, 2 * PMD - 2 * PAGE);
}

static void test_end_of_view(uint64_t paddr)
{
	struct kview_extent extent = kv_ram(0, PMD + 3 * PAGE, paddr);
	int short_fd = kv_create(PMD + 3 * PAGE, &extent, 1);
	unsigned char *map = kv_map_at(short_fd, 0, 2 * PMD, PMD);

	ok(kv_load(map + PMD + 2 * PAGE) >= 0, "the last page of a view is there");
	ok(kv_load(map + PMD + 3 * PAGE) < 0, "the page after it is not");
	ok(kv_load(map + 2 * PMD - 1) < 0, "nor is the end of its 2 MiB block");
	munmap(map, 2 * PMD);
	close(short_fd);
}

static void restore_thp(const char *saved)
{
	const char *open = strchr(saved, '['), *close = open ? strchr(open, ']') : NULL;
	char word[32];

	if (!close)
		return;
	snprintf(word, sizeof(word), "%.*s", (int)(close - open - 1), open + 1);
	kv_write_file(THP, word);
}

int main(void)
{
	uint64_t paddr, len = GIB;
	char saved[128];
	long nr;

	fd = kv_ram_view();
	while (len > 128 * MIB && !kv_find_ram(len, PMD, &paddr))
		len /= 2;
	if (!kv_find_ram(len, PMD, &paddr))
		bail("no RAM of %" PRIu64 " MiB in one piece", (uint64_t)(len / MIB));
	diag("%" PRIu64 " MiB at %#" PRIx64, (uint64_t)(len / MIB), paddr);
	kv_read_file(THP, saved, sizeof(saved));

	test_setting("always", paddr, len);
	test_setting("madvise", paddr, len);
	test_setting("never", paddr, len);
	restore_thp(saved);
	nr = faults(paddr, len, PMD, MADV_NOHUGEPAGE);
	ok(nr <= (long)(len / PMD) + 8, "MADV_NOHUGEPAGE: %ld faults", nr);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	nr = faults(paddr, len, PMD, -1);
	ok(nr <= (long)(len / PMD) + 8, "PR_SET_THP_DISABLE: %ld faults", nr);
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	test_shifted(paddr, 64 * MIB);
	test_partial(paddr);
	test_end_of_view(paddr);
	return finish();
}
