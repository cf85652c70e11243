// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page that leaves the direct map, as those of memfd_secret(2) do, is zeros: at once when
 * read, and in a mapping that had it after the event, or where the kernel has none after a pass
 * over all mapped pages.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

static int view;

/* A page of secret memory that is full of @fill. */
static unsigned char *secret_page(unsigned char fill)
{
	unsigned char *page = kv_secret_page(fill);

	if (!page)
		skip_all("no memfd_secret(2): %s; boot with secretmem.enable=1", strerror(errno));
	return page;
}

/* Address of the first page of a mapping that is full of @fill; 0 if there is none. */
static uint64_t find_filled(const unsigned char *map, uint64_t end, unsigned char fill)
{
	unsigned char want[PAGE];
	uint64_t at;

	memset(want, fill, PAGE);
	for (at = 0; at < end; at += PAGE)
		if (map[at] == fill && !memcmp(map + at, want, PAGE))
			return at;
	return 0;
}

/* Tells whether the page at @at, read, is full of @fill. */
static bool is_filled(uint64_t at, unsigned char fill)
{
	unsigned char buf[PAGE], want[PAGE];

	memset(want, fill, PAGE);
	return pread(view, buf, PAGE, (off_t)at) == (ssize_t)PAGE && !memcmp(buf, want, PAGE);
}

static bool reads_as_zero(uint64_t at)
{
	unsigned char buf[PAGE];

	return pread(view, buf, PAGE, (off_t)at) == (ssize_t)PAGE && kv_is_zero(buf, PAGE);
}

/* Pagemap shows the frame of a secret page to root, like that of any page. */
static void test_page(unsigned char *map, unsigned char *page)
{
	uint64_t at = kv_virt_to_phys(page), block = at & -PMD;
	unsigned char neighbours[4 * PAGE];
	ssize_t got;

	diag("the secret page is at %#" PRIx64, at);
	ok(page[0] == 0x5e, "its owner sees what is in it");
	ok(reads_as_zero(at), "read: it is zeros");
	got = pread(view, neighbours, sizeof(neighbours), (off_t)(at & -4 * PAGE));
	is_int(got, sizeof(neighbours), "a read over it and its neighbours is whole");
	ok(kv_is_zero(neighbours + at % (4 * PAGE), PAGE), "and has zeros in its place");

	ok(kv_is_zero(map + at, PAGE), "mapped after it became secret: it is zeros");
	ok(kv_load(map + block) >= 0 && kv_load(map + block + PMD - 1) >= 0,
	   "mapped: the rest of its 2 MiB can still be loaded");
}

/* Pages near the secret that are not secret must not be hidden. */
static void test_neighbours(const unsigned char *map, const unsigned char *ours,
			    const uint64_t *paddr, unsigned int nr)
{
	unsigned int i, read_wrong = 0, map_wrong = 0;
	unsigned char buf[PAGE];

	for (i = 0; i < nr; i++) {
		map_wrong += !!memcmp(map + paddr[i], ours + i * PAGE, PAGE);
		read_wrong += pread(view, buf, PAGE, (off_t)paddr[i]) != (ssize_t)PAGE ||
			      memcmp(buf, ours + i * PAGE, PAGE);
	}
	is_int(read_wrong, 0, "%u pages that are no secret are right when read", nr);
	is_int(map_wrong, 0, "and when mapped");
}

/* A mapping of a block that has been shown must lose a page that then becomes secret. */
static void test_revoked(unsigned char *map, uint64_t end)
{
	unsigned int i, late = 0;
	unsigned char *pages[16];
	uint64_t at[16];

	kv_touch(map, end);
	for (i = 0; i < 16; i++) {
		pages[i] = secret_page((unsigned char)(0x80 + i));
		at[i] = kv_virt_to_phys(pages[i]);
	}
	ok(kv_await_hidden(KVIEW_EVENT_DIRECT_MAP), "16 more pages have become secret");
	for (i = 0; i < 16; i++)
		late += !kv_is_zero(map + at[i], PAGE);
	is_int(late, 0, "none of them is in the mapping");
	for (i = 0; i < 16; i++)
		munmap(pages[i], PAGE);
}

/* After the secret is freed, the mapping must show the page again. */
static void test_given_back(unsigned char *map, uint64_t at)
{
	uint64_t deadline = kv_now_ms() + 10 * kv_info().revalidate_ms;
	unsigned char buf[PAGE];
	bool same = false;

	while (!same && kv_now_ms() < deadline) {
		same = pread(view, buf, PAGE, (off_t)at) == (ssize_t)PAGE &&
		       !memcmp(buf, map + at, PAGE);
		if (!same)
			kv_sleep_ms(1);
	}
	ok(same, "given back, it is the same read and mapped");
	ok(!is_filled(at, 0x5e), "and the secret is gone with it");
}

int main(void)
{
	unsigned int before = kv_info().revalidate_ms;
	uint64_t end = kv_ram_end(), at, paddr[64];
	unsigned char *map, *page, *ours;

	view = kv_ram_view();
	page = secret_page(0x5e);
	is_int(kv_revalidate_ms(KV_SLOW_MS), 0, "revalidate_ms is %u", KV_SLOW_MS);
	map = kv_map(view, 0, end);
	ours = kv_pages(64, paddr);
	at = kv_virt_to_phys(page);
	if (!at)
		bail("pagemap does not tell where the secret page is");
	test_page(map, page);
	test_neighbours(map, ours, paddr, 64);
	is_int((long long)find_filled(map, end, 0x5e), 0, "the secret is nowhere in the mapping");
	test_revoked(map, end);
	munmap(page, PAGE);
	test_given_back(map, at);
	munmap(map, end);
	kv_revalidate_ms(before);
	return finish();
}
