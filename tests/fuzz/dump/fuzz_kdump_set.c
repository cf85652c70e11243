// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_set.h"
#include "fuzz.h"

/* A location lies inside its file. */
static void locate(const struct kvfs_kdump_set *set, uint64_t pfn, size_t n)
{
	struct kvfs_kdump_location locs[KVFS_KDUMP_SET_LOCATE_MAX];
	struct kvfs_dump_result result = { 0 };

	kvfs_kdump_set_locate(set, pfn, n, locs, &result);
	fuzz_assert(!result.unavailable && !result.error);
	for (size_t i = 0; i < n; i++) {
		if (result.damaged >> i & 1)
			continue;
		fuzz_assert(locs[i].len <= set->page_size && locs[i].off < set->parts[0].file_len);
		fuzz_assert(locs[i].len <= set->parts[0].file_len - locs[i].off);
		fuzz_assert(locs[i].flags || locs[i].len == set->page_size);
	}
}

/* Walks over the runs of dumped pages, and judges the descriptors of some. */
static void walk(const struct kvfs_kdump_set *set)
{
	uint64_t pfn = 0, sum = 0;

	for (int runs = 0; runs < 1000; runs++) {
		uint64_t end;

		pfn = kvfs_kdump_set_next_dumped(set, pfn, set->nr_pfns);
		if (pfn == set->nr_pfns)
			break;
		end = kvfs_kdump_set_next_excluded(set, pfn, set->nr_pfns);
		fuzz_assert(end > pfn && end <= set->nr_pfns);
		fuzz_assert(kvfs_kdump_set_count_dumped(set, pfn, end) == end - pfn);
		sum += end - pfn;
		locate(set, pfn, end - pfn < KVFS_KDUMP_SET_LOCATE_MAX ? (size_t)(end - pfn) : KVFS_KDUMP_SET_LOCATE_MAX);
		pfn = end;
	}
	fuzz_assert(kvfs_kdump_set_count_dumped(set, 0, pfn) == sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *name = "fuzz";
	int fd = fuzz_file(data, size);
	struct kvfs_kdump_set set = { 0 };
	struct kvfs_err err = { 0 };
	char *missing = NULL;
	int ret = kvfs_kdump_set_load(&fd, &name, 1, &set, &missing, &err);

	free(missing);
	if (ret) {
		fuzz_check_error(ret, &err);
		fuzz_assert(!set.parts);
		return 0;
	}
	fuzz_assert(set.nr_parts == 1 && set.nr_pfns > 0);
	walk(&set);
	kvfs_kdump_set_deinit(&set);
	return 0;
}
