// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that goes offline is gone from the view when the kernel says that it is
 * offline, read and mapped, and is back when it is online again. Wants a guest that lets
 * a block of memory go, such as one booted with movablecore=512M.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kcore.h"
#include "kv.h"
#include "tap.h"

#define MEMORY "/sys/devices/system/memory/"
/* Memory to fill, so that some of it is in a block that can go. */
#define NR (16 * MIB / PAGE)
#define MOST_BLOCKS 64

static uint64_t block_size, paddr[NR];
static unsigned char *pages;

static int set_state(uint64_t block, const char *state)
{
	char path[128];

	snprintf(path, sizeof(path), MEMORY "memory%" PRIu64 "/state", block);
	return kv_write_file(path, state);
}

/* The first of our pages that was in a block that could be set offline; -1 if there is none. */
static long go_offline(void)
{
	uint64_t tried[MOST_BLOCKS], block;
	unsigned int i, j, nr = 0;
	int err;

	for (i = 0; i < NR && nr < MOST_BLOCKS; i++) {
		block = paddr[i] / block_size;
		for (j = 0; j < nr && tried[j] != block; j++)
			;
		if (j < nr)
			continue;
		tried[nr++] = block;
		err = set_state(block, "offline");
		if (!err)
			return i;
		diag("block %" PRIu64 " stays online: %s", block, strerror(-err));
	}
	return -1;
}

/* Counts which of our former pages in the block still show what was in them. */
static unsigned int count_shown(int view, const unsigned char *map, uint64_t block)
{
	unsigned char buf[PAGE];
	unsigned int i, shown = 0;

	for (i = 0; i < NR; i++) {
		if (paddr[i] / block_size != block)
			continue;
		if (map)
			memcpy(buf, map + paddr[i] % block_size, PAGE);
		else if (pread(view, buf, PAGE, (off_t)paddr[i]) != (ssize_t)PAGE)
			shown++;
		shown += !kv_is_zero(buf, PAGE);
	}
	return shown;
}

static bool same_as_kcore(int view, const unsigned char *map, uint64_t at)
{
	unsigned char ours[PAGE], theirs[PAGE];
	unsigned int tries;

	for (tries = 0; tries < 20; tries++)
		if (pread(view, ours, PAGE, (off_t)at) == (ssize_t)PAGE &&
		    kcore_read_paddr(theirs, PAGE, at) && !memcmp(ours, theirs, PAGE) &&
		    !memcmp(map + at % block_size, theirs, PAGE))
			return true;
	return false;
}

/*
 * How many of the places in a block where we had pages do not show what /proc/kcore does. They
 * are free now, and the first to be used again: some become pages of our own stack. Where the
 * mapping had zeros while the block was offline, it is judged again within revalidate_ms.
 */
static unsigned int count_different(int view, const unsigned char *map, uint64_t block,
				    unsigned int *nr)
{
	uint64_t end = kv_now_ms() + 5 * kv_info().revalidate_ms;
	unsigned int i, differ = 0;
	bool same;

	for (i = 0, *nr = 0; i < NR; i++) {
		if (paddr[i] / block_size != block)
			continue;
		++*nr;
		do
			same = same_as_kcore(view, map, paddr[i]);
		while (!same && kv_now_ms() < end);
		differ += !same;
	}
	return differ;
}

static void test_block(int view, uint64_t block, unsigned char *map, long first)
{
	unsigned char buf[PAGE];
	unsigned int differ, nr;
	uint64_t now;
	int err;

	is_int(count_shown(view, map, block), 0, "offline: nothing is seen in the mapping");
	is_int(count_shown(view, NULL, block), 0, "offline: nothing is read");
	is_int(kv_load(map + block_size - 1), 0, "offline: the end of the block is zero too");
	now = kv_virt_to_phys(pages + (size_t)first * PAGE);
	ok(now && now / block_size != block, "our page was moved to another block");
	ok(pread(view, buf, PAGE, (off_t)now) == (ssize_t)PAGE &&
	   !memcmp(buf, pages + (size_t)first * PAGE, PAGE), "and is seen there");

	err = set_state(block, "online");
	if (err == -EHWPOISON) {
		skip(3, "the block has a page with a memory error, and must stay offline");
		return;
	}
	is_int(err, 0, "the block goes online again");
	differ = count_different(view, map, block, &nr);
	ok(differ <= nr / 10 + 4 && differ < nr,
	   "then it is as in /proc/kcore, read and mapped: all but %u of %u pages", differ, nr);
	ok(kv_load(map) >= 0 && kv_load(map + block_size - 1) >= 0, "all of it");
}

int main(void)
{
	unsigned char *map;
	char text[64];
	long first;
	int view;

	if (kv_read_file(MEMORY "block_size_bytes", text, sizeof(text)) <= 0)
		skip_all("this kernel has no memory hotplug");
	block_size = strtoull(text, NULL, 16);
	view = kv_ram_view();
	kcore_open();
	pages = kv_pages(NR, paddr);
	/* Mapped and touched before, so that it has to be taken away. */
	map = kv_map(view, 0, kv_ram_end());
	kv_touch(map, kv_ram_end());

	first = go_offline();
	if (first < 0)
		skip_all("no memory block can be set offline: boot with movablecore=512M");
	test_block(view, paddr[first] / block_size,
		   map + paddr[first] / block_size * block_size, first);
	return finish();
}
