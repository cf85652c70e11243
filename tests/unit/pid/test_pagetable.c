// SPDX-License-Identifier: GPL-2.0-only
#include "pid/pagetable.h"

#include <errno.h>

#include "base/cleanup.h"
#include "pid/mincore_bits.h"
#include "pid/pagemap.h"
#include "unit.h"

#define PAGE UINT64_C(4096)
#define NR_PAGES 16
#define ALL_ANON (KVFS_MINCORE_RESIDENT | KVFS_MINCORE_MAPPED | KVFS_MINCORE_ANON)
#define IN_SWAP (KVFS_MINCORE_SWAPPED | KVFS_MINCORE_ANON)

/* A swap cache that holds odd offsets of swap, or that fails. */
int __wrap_kvfs_swapcache_get(struct kvfs_swapcache *cache, struct kvfs_swapcache_table **out);
void __wrap_kvfs_swapcache_put(struct kvfs_swapcache *cache, struct kvfs_swapcache_table *table);
bool __wrap_kvfs_swapcache_has(const struct kvfs_swapcache_table *table, uint64_t entry);

/* A page table whose entries at multiples of 4 are in swap, at the offset of their index. */
int __wrap_kvfs_pagemap_read_entries(int fd, uint64_t *entries, size_t n, uint64_t index);
int __real_kvfs_pagemap_read_entries(int fd, uint64_t *entries, size_t n, uint64_t index);

static char the_cache, the_table;	/* only their addresses count */
static int swapcache_error, nr_tables;
static bool fake_swap;

int __wrap_kvfs_swapcache_get(struct kvfs_swapcache *cache, struct kvfs_swapcache_table **out)
{
	ck_assert_ptr_eq(cache, &the_cache);
	if (swapcache_error)
		return swapcache_error;
	*out = (struct kvfs_swapcache_table *)&the_table;
	nr_tables++;
	return 0;
}

void __wrap_kvfs_swapcache_put(struct kvfs_swapcache *cache, struct kvfs_swapcache_table *table)
{
	ck_assert_ptr_eq(table, &the_table);
	nr_tables--;
}

bool __wrap_kvfs_swapcache_has(const struct kvfs_swapcache_table *table, uint64_t entry)
{
	return table && (entry >> 5 & 8);
}

int __wrap_kvfs_pagemap_read_entries(int fd, uint64_t *entries, size_t n, uint64_t index)
{
	int ret = __real_kvfs_pagemap_read_entries(fd, entries, n, index);

	for (size_t i = 0; fake_swap && i < n; i++)
		if ((index + i) % 4 == 0)
			entries[i] = KVFS_PAGEMAP_SWAPPED | (index + i) << 5;
	return ret;
}

struct fixture {
	struct kvfs_kpageflags *kpf;
	struct kvfs_pagetable *table;
	struct kvfs_pagetable_part part;
	uint8_t vec[NR_PAGES];
};

/* The page table of this process, and a mapping of it whose even pages are present. */
static void set_up(struct fixture *f, int flags)
{
	_cleanup_close_ int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct kvfs_pagetable_config config = { .swapcache = (struct kvfs_swapcache *)&the_cache };
	struct kvfs_err err = { 0 };
	uint8_t *p = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	madvise(p, NR_PAGES * PAGE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < NR_PAGES; i += 2)
		p[i * PAGE] = 1;
	ck_assert_msg(kvfs_kpageflags_create(&f->kpf, &err) == 0, "%s", err.msg);
	config.kpf = f->kpf;
	ck_assert_int_eq(kvfs_pagetable_open(self, &config, &f->table), 0);
	f->part = (struct kvfs_pagetable_part) {
		.start = (uintptr_t)p,
		.end = (uintptr_t)p + NR_PAGES * PAGE,
		.vec = f->vec,
		.shared = flags & MAP_SHARED,
		.of_file = flags & MAP_SHARED,
		.in_page_cache = flags & MAP_SHARED,
	};
	memset(f->vec, 0xff, sizeof(f->vec));
}

static void tear_down(struct fixture *f)
{
	kvfs_pagetable_close(f->table);
	kvfs_kpageflags_destroy(f->kpf);
	ck_assert_int_eq(nr_tables, 0);
}

static void assert_evens(const struct fixture *f, uint8_t even)
{
	for (size_t i = 0; i < NR_PAGES; i++)
		ck_assert_msg(f->vec[i] == (i % 2 ? 0 : even), "page %zu: %#x", i, f->vec[i]);
}

static const struct {
	int flags;
	uint8_t even;
} mappings[] = {
	{ MAP_PRIVATE, ALL_ANON },
	{ MAP_SHARED, KVFS_MINCORE_RESIDENT | KVFS_MINCORE_MAPPED | KVFS_MINCORE_PAGECACHE },
};

/* Entry by entry, by a scan for all pages, and by a scan for exceptions: all say the same. */
START_TEST(test_all_ways_agree)
{
	uint8_t even = mappings[_i].even;
	struct fixture f;

	set_up(&f, mappings[_i].flags);
	ck_assert_int_eq(kvfs_pagetable_entries(f.table, &f.part), 0);
	assert_evens(&f, even);
	if (kvfs_pagemap_can_scan()) {
		for (int by_exceptions = 0; by_exceptions < 2; by_exceptions++) {
			memset(f.vec, 0xff, sizeof(f.vec));
			ck_assert_int_eq(kvfs_pagetable_scan(f.table, &f.part, by_exceptions), 0);
			assert_evens(&f, even);
		}
	}
	ck_assert_int_eq(kvfs_pagetable_check(f.table), 0);
	tear_down(&f);
}
END_TEST

/* Where the part starts in the process and in vec is the part's own business. */
START_TEST(test_part_of_a_mapping)
{
	struct fixture f;

	set_up(&f, MAP_PRIVATE);
	f.part.start += 2 * PAGE;
	f.part.end -= 3 * PAGE;
	ck_assert_int_eq(kvfs_pagetable_entries(f.table, &f.part), 0);
	for (size_t i = 0; i < NR_PAGES - 5; i++)
		ck_assert_uint_eq(f.vec[i], i % 2 ? 0 : ALL_ANON);
	for (size_t i = NR_PAGES - 5; i < NR_PAGES; i++)
		ck_assert_uint_eq(f.vec[i], 0xff);
	tear_down(&f);
}
END_TEST

static void assert_swapped(const struct fixture *f, bool sees_swap_cache)
{
	uint64_t index = f->part.start / PAGE;

	for (size_t i = 0; i < NR_PAGES; i++) {
		uint8_t want = i % 2 ? 0 : ALL_ANON;

		if ((index + i) % 4 == 0) {
			want = IN_SWAP;
			if (sees_swap_cache && ((index + i) & 8))
				want |= KVFS_MINCORE_RESIDENT | KVFS_MINCORE_SWAPCACHE;
		}
		ck_assert_msg(f->vec[i] == want, "page %zu: %#x, not %#x", i, f->vec[i], want);
	}
}

START_TEST(test_swap_cache)
{
	struct fixture f;

	set_up(&f, MAP_PRIVATE);
	fake_swap = true;
	ck_assert_int_eq(kvfs_pagetable_entries(f.table, &f.part), 0);
	assert_swapped(&f, true);
	ck_assert_int_eq(nr_tables, 1);
	tear_down(&f);
}
END_TEST

/* A swap cache that cannot be looked at for the moment is an error; one that never can is none. */
START_TEST(test_swap_cache_errors)
{
	static const int shortages[] = { -ENOMEM, -EMFILE, -ENFILE, -EINTR, -EIO };
	static const int hidden[] = { -EPERM, -EACCES, -ENODATA, -EBADMSG };
	struct fixture f;

	fake_swap = true;
	for (size_t i = 0; i < sizeof(shortages) / sizeof(shortages[0]); i++) {
		set_up(&f, MAP_PRIVATE);
		swapcache_error = shortages[i];
		ck_assert_int_eq(kvfs_pagetable_entries(f.table, &f.part), shortages[i]);
		/* The next attempt asks again. */
		swapcache_error = 0;
		ck_assert_int_eq(kvfs_pagetable_entries(f.table, &f.part), 0);
		assert_swapped(&f, true);
		tear_down(&f);
	}
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		set_up(&f, MAP_PRIVATE);
		swapcache_error = hidden[i];
		ck_assert_int_eq(kvfs_pagetable_entries(f.table, &f.part), 0);
		assert_swapped(&f, false);
		kvfs_pagetable_close(f.table);
		kvfs_kpageflags_destroy(f.kpf);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pagetable");
	TCase *tcase = tcase_create("pagetable");

	tcase_add_loop_test(tcase, test_all_ways_agree, 0, sizeof(mappings) / sizeof(mappings[0]));
	tcase_add_test(tcase, test_part_of_a_mapping);
	tcase_add_test(tcase, test_swap_cache);
	tcase_add_test(tcase, test_swap_cache_errors);
	suite_add_tcase(suite, tcase);
	return unit_run_suite(suite, tcase);
}
