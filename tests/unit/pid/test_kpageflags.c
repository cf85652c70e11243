// SPDX-License-Identifier: GPL-2.0-only
#include "pid/kpageflags.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"

#define NR_WORDS 200000

/* The word that the file holds for a page. */
static uint64_t flags_of(uint64_t pfn)
{
	return pfn < NR_WORDS ? pfn * 0x9e3779b97f4a7c15 | 1 : 0;
}

static struct kvfs_kpageflags *open_fake(void)
{
	static uint64_t words[NR_WORDS];
	struct kvfs_kpageflags *kpf;
	struct kvfs_err err = { 0 };
	int fd;

	for (uint64_t pfn = 0; pfn < NR_WORDS; pfn++)
		words[pfn] = flags_of(pfn);
	fd = unit_file(words, sizeof(words));
	ck_assert_int_eq(kvfs_kpageflags_create_on(unit_path(fd), &kpf, &err), 0);
	close(fd);
	return kpf;
}

/* Looks up n pages; next() makes each PFN of the last one. */
static void look_up(size_t n, uint64_t (*next)(uint64_t))
{
	struct kvfs_kpageflags_query *v = malloc((n ? n : 1) * sizeof(*v));
	struct kvfs_kpageflags *kpf = open_fake();
	uint64_t pfn = 12345, *pfns = malloc((n ? n : 1) * sizeof(*pfns));
	bool *seen = calloc(n ? n : 1, 1);

	for (size_t i = 0; i < n; i++) {
		pfns[i] = pfn;
		v[i] = (struct kvfs_kpageflags_query){ .pfn = pfn, .index = i, .flags = 77 };
		pfn = next(pfn);
	}
	ck_assert_int_eq(kvfs_kpageflags_load(kpf, v, n), 0);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_lt(v[i].index, n);
		ck_assert(!seen[v[i].index]);
		seen[v[i].index] = true;
		ck_assert_uint_eq(v[i].pfn, pfns[v[i].index]);
		ck_assert_uint_eq(v[i].flags, flags_of(v[i].pfn));
	}
	kvfs_kpageflags_destroy(kpf);
	free(seen);
	free(pfns);
	free(v);
}

static uint64_t following(uint64_t pfn) { return pfn + 1; }
static uint64_t preceding(uint64_t pfn) { return pfn ? pfn - 1 : 0; }
static uint64_t the_same(uint64_t pfn) { return pfn; }
static uint64_t scattered(uint64_t pfn) { return (pfn * 7919 + 104729) % NR_WORDS; }
static uint64_t near(uint64_t pfn) { return pfn + 1 + pfn % 17; }
static uint64_t far(uint64_t pfn) { return pfn + 17; }
static uint64_t over_the_end(uint64_t pfn) { return (pfn * 7919 + 104729) % (2 * NR_WORDS); }

START_TEST(test_lookups)
{
	uint64_t (*const nexts[])(uint64_t) = {
		following, preceding, the_same, scattered, near, far, over_the_end,
	};
	const size_t counts[] = { 0, 1, 2, 63, 64, 65, 2047, 2048, 2049, 4096, 10000, 50000 };

	for (size_t i = 0; i < sizeof(nexts) / sizeof(nexts[0]); i++)
		for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
			look_up(counts[k], nexts[i]);
}
END_TEST

START_TEST(test_errors)
{
	struct kvfs_kpageflags_query q = { .pfn = UINT64_MAX };
	struct kvfs_kpageflags *kpf;
	struct kvfs_err err = { 0 };
	int ret;

	ret = kvfs_kpageflags_create_on("/nonexistent/kpageflags", &kpf, &err);
	unit_assert_error(ret, ENOENT, err, "/nonexistent/kpageflags");
	kpf = open_fake();
	ck_assert_int_eq(kvfs_kpageflags_load(kpf, &q, 1), -EINVAL);
	q.pfn = 1;
	failalloc_try_all(ret, ret = kvfs_kpageflags_load(kpf, &q, 1));
	kvfs_kpageflags_destroy(kpf);
	kvfs_kpageflags_destroy(NULL);
	/* A directory can be opened and not read. */
	ck_assert_int_eq(kvfs_kpageflags_create_on("/proc/self", &kpf, &err), 0);
	ck_assert_int_eq(kvfs_kpageflags_load(kpf, &q, 1), -EISDIR);
	kvfs_kpageflags_destroy(kpf);
}
END_TEST

UNIT_MAIN("kpageflags", test_lookups, test_errors)
