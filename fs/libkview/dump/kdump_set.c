// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_set.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "dump/format.h"

static int load_part(int fd, const char *name, struct kvfs_kdump_part *part, struct kvfs_err *err)
{
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0)
		return kvfs_err_sys(err, errno, "cannot stat %s", name);
	part->fd = fd;
	part->file_len = (uint64_t)st.st_size;
	ret = kvfs_kdump_header_load(fd, name, part->file_len, &part->head, err);
	if (ret < 0)
		return ret;
	if (part->head.end_pfn > part->head.nr_pfns)
		part->head.end_pfn = part->head.nr_pfns;
	ret = kvfs_pfnmap_load(fd, part->head.dumped_map_off, part->head.nr_pfns, &part->dumped);
	return ret < 0 ? kvfs_err_sys(err, -ret, "cannot read the bitmap of %s", name) : 0;
}

/* Every part of a split dump has the bitmap of the whole dump: one copy of it is kept. */
static void share_map(const struct kvfs_kdump_part *first, struct kvfs_kdump_part *part)
{
	struct kvfs_pfnmap *map = &part->dumped;

	if (map->nr_pfns != first->dumped.nr_pfns ||
	    memcmp(map->words, first->dumped.words, (map->nr_pfns + 63) / 64 * sizeof(*map->words)) != 0)
		return;
	kvfs_pfnmap_deinit(map);
	*map = first->dumped;
	part->shares_map = true;
}

static int by_start(const void *a, const void *b)
{
	const struct kvfs_kdump_part *x = a, *y = b;

	return x->head.start_pfn < y->head.start_pfn ? -1 : x->head.start_pfn > y->head.start_pfn;
}

/* Sorts the parts and checks that they are of one dump. */
static int check_parts(struct kvfs_kdump_set *set, struct kvfs_err *err)
{
	struct kvfs_kdump_part *v = set->parts;

	qsort(v, set->nr_parts, sizeof(*v), by_start);
	for (size_t i = 1; i < set->nr_parts; i++) {
		if (!v[i].head.split || !v[0].head.split)
			return kvfs_err_set(err, EINVAL, "several files were given, and one of them is a whole dump");
		if (v[i].head.page_size != set->page_size || v[i].head.nr_pfns != set->nr_pfns ||
		    strcmp(v[i].head.release, v[0].head.release) != 0)
			return kvfs_err_set(err, EINVAL, "the files are parts of different dumps");
		if (v[i].head.start_pfn < v[i - 1].head.end_pfn)
			return kvfs_err_set(err, EINVAL, "two files have the same part of the dump, from PFN 0x%" PRIx64 " on",
					    v[i].head.start_pfn);
	}
	return 0;
}

static uint64_t rank_in_part(const struct kvfs_kdump_part *part, uint64_t pfn)
{
	return kvfs_pfnmap_rank(&part->dumped, pfn) -
	       kvfs_pfnmap_rank(&part->dumped, part->head.start_pfn);
}

/* Reads n descriptors from the first on, and fills in out for those that can be true. */
static void load_descs(const struct kvfs_kdump_part *part, uint64_t first, size_t n,
		       struct kvfs_kdump_location *out, struct kvfs_dump_result *result)
{
	struct kvfs_kdump_desc descs[KVFS_KDUMP_SET_LOCATE_MAX];
	const size_t each = sizeof(descs[0]);
	uint64_t off = part->head.descs_off + first * each;
	ssize_t got;
	int failed;

	/* Cannot overflow: a bitmap has at most 2^33 bits. */
	got = kvfs_io_pread(part->fd, descs, n * each, off);
	failed = got == -EBADMSG ? -EIO : got < 0 ? (int)got : 0;
	for (size_t i = 0; i < n; i++) {
		int ret = failed;

		/* The reason of a short read. It holds for all descriptors after this one, too. */
		if (ret == 0 && (size_t)got < (i + 1) * each)
			ret = failed = kvfs_dump_pread(part->fd, &descs[i], each, off + i * each);
		/* A page beyond the end of the file is as damaged as one with a wrong descriptor. */
		if (ret == 0 && kvfs_kdump_desc_check(&descs[i], part->head.page_size, part->file_len) < 0)
			ret = -EBADMSG;
		kvfs_dump_result_note(result, i, ret);
		if (ret == 0)
			out[i] = (struct kvfs_kdump_location) {
				.fd = part->fd,
				.len = le32toh(descs[i].len),
				.off = le64toh(descs[i].off),
				.flags = le32toh(descs[i].flags) & KVFS_KDUMP_DESC_METHODS,
			};
	}
}

/* *wrong: the first of a few descriptors from first on that is damaged; nr if none is. 0 or -errno. */
static int find_wrong(const struct kvfs_kdump_part *part, uint64_t first, uint64_t nr, uint64_t *wrong)
{
	struct kvfs_kdump_location locs[KVFS_KDUMP_SET_LOCATE_MAX];
	uint64_t n = nr - first < KVFS_KDUMP_SET_LOCATE_MAX ? nr - first : KVFS_KDUMP_SET_LOCATE_MAX;
	struct kvfs_dump_result result = { 0 };

	load_descs(part, first, (size_t)n, locs, &result);
	*wrong = result.damaged ? first + (uint64_t)__builtin_ctzll(result.damaged) : nr;
	return result.error;
}

/*
 * Pages are written in order, so those that a truncated file lacks are the last; but pages of
 * zeros share one copy at the start, which is why a few are looked at together. 0 or -errno.
 */
static int look_for_cut(const struct kvfs_kdump_part *part, const char *name, char **missing)
{
	uint64_t nr = rank_in_part(part, part->head.end_pfn);
	uint64_t lo = 0, hi = nr, wrong;
	int ret;

	ret = find_wrong(part, nr > KVFS_KDUMP_SET_LOCATE_MAX ? nr - KVFS_KDUMP_SET_LOCATE_MAX : 0, nr, &wrong);
	if (ret < 0)
		return ret;
	if (wrong == nr) {
		if (!part->head.incomplete)
			return 0;
		return kvfs_dump_add_missing(missing, "%s is incomplete: makedumpfile had no room for all of it", name);
	}
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		ret = find_wrong(part, mid, nr, &wrong);
		if (ret < 0)
			return ret;
		if (wrong < nr)
			hi = mid;
		else
			lo = mid + 1;
	}
	ret = find_wrong(part, lo, nr, &wrong);
	if (ret < 0)
		return ret;
	return kvfs_dump_add_missing(missing, "%s is truncated: it ends at byte 0x%" PRIx64
				     ", and about the last %" PRIu64 " of its %" PRIu64 " pages are damaged",
				     name, part->file_len, nr - wrong, nr);
}

static int add_gap(uint64_t start, uint64_t end, char **missing)
{
	return kvfs_dump_add_missing(missing, "the dump was split, and the file with the pages from PFN 0x%" PRIx64
				     " to 0x%" PRIx64 " was not given: they read as zeros", start, end - 1);
}

/* Adds each range of page frame numbers that no file has. 0 or -ENOMEM. */
static int look_for_gaps(const struct kvfs_kdump_set *set, char **missing)
{
	uint64_t pfn = 0;
	int ret = 0;

	for (size_t i = 0; i < set->nr_parts && ret == 0; i++) {
		if (set->parts[i].head.start_pfn > pfn)
			ret = add_gap(pfn, set->parts[i].head.start_pfn, missing);
		pfn = set->parts[i].head.end_pfn;
	}
	return ret == 0 && pfn < set->nr_pfns ? add_gap(pfn, set->nr_pfns, missing) : ret;
}

int kvfs_kdump_set_load(const int *fds, const char *const *names, size_t nr,
			struct kvfs_kdump_set *out, char **missing, struct kvfs_err *err)
{
	struct kvfs_kdump_set set = { .nr_parts = 0 };
	int ret = 0;

	set.parts = calloc(nr, sizeof(*set.parts));
	if (!set.parts)
		return kvfs_err_sys(err, ENOMEM, "%s", names[0]);
	for (size_t i = 0; i < nr && ret == 0; i++) {
		ret = load_part(fds[i], names[i], &set.parts[set.nr_parts++], err);
		if (ret == 0 && i > 0)
			share_map(&set.parts[0], &set.parts[i]);
		if (ret == 0) {
			ret = look_for_cut(&set.parts[i], names[i], missing);
			if (ret < 0)
				kvfs_err_sys(err, -ret, "cannot look through the page descriptors of %s", names[i]);
		}
	}
	if (ret == 0) {
		set.page_size = set.parts[0].head.page_size;
		set.nr_pfns = set.parts[0].head.nr_pfns;
		ret = check_parts(&set, err);
	}
	if (ret == 0) {
		ret = kvfs_pfnmap_load(set.parts[0].fd, set.parts[0].head.ram_map_off, set.nr_pfns, &set.ram);
		if (ret < 0)
			kvfs_err_sys(err, -ret, "cannot read the bitmap of %s", names[0]);
	}
	if (ret == 0) {
		ret = look_for_gaps(&set, missing);
		if (ret < 0)
			kvfs_err_sys(err, -ret, "%s", names[0]);
	}
	if (ret < 0) {
		kvfs_kdump_set_deinit(&set);
		return ret;
	}
	*out = set;
	return 0;
}

void kvfs_kdump_set_deinit(struct kvfs_kdump_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->nr_parts; i++)
		if (!set->parts[i].shares_map)
			kvfs_pfnmap_deinit(&set->parts[i].dumped);
	free(set->parts);
	kvfs_pfnmap_deinit(&set->ram);
	*set = (struct kvfs_kdump_set) { 0 };
}

uint64_t kvfs_kdump_set_next_dumped(const struct kvfs_kdump_set *set, uint64_t pfn, uint64_t end)
{
	for (size_t i = 0; i < set->nr_parts; i++) {
		const struct kvfs_kdump_part *part = &set->parts[i];
		uint64_t from = pfn > part->head.start_pfn ? pfn : part->head.start_pfn;
		uint64_t to = end < part->head.end_pfn ? end : part->head.end_pfn;
		uint64_t found = from < to ? kvfs_pfnmap_next_set(&part->dumped, from, to) : to;

		if (from < to && found < to)
			return found;
	}
	return end;
}

uint64_t kvfs_kdump_set_next_excluded(const struct kvfs_kdump_set *set, uint64_t pfn, uint64_t end)
{
	for (size_t i = 0; i < set->nr_parts && pfn < end; i++) {
		const struct kvfs_kdump_part *part = &set->parts[i];
		uint64_t to = end < part->head.end_pfn ? end : part->head.end_pfn;

		if (pfn >= part->head.end_pfn)
			continue;
		if (pfn < part->head.start_pfn)
			return pfn;
		pfn = kvfs_pfnmap_next_clear(&part->dumped, pfn, to);
		if (pfn < to)
			return pfn;
	}
	return pfn < end ? pfn : end;
}

uint64_t kvfs_kdump_set_count_dumped(const struct kvfs_kdump_set *set, uint64_t pfn, uint64_t end)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < set->nr_parts; i++) {
		const struct kvfs_kdump_part *part = &set->parts[i];
		uint64_t from = pfn > part->head.start_pfn ? pfn : part->head.start_pfn;
		uint64_t to = end < part->head.end_pfn ? end : part->head.end_pfn;

		if (from < to)
			sum += kvfs_pfnmap_rank(&part->dumped, to) - kvfs_pfnmap_rank(&part->dumped, from);
	}
	return sum;
}

void kvfs_kdump_set_locate(const struct kvfs_kdump_set *set, uint64_t pfn, size_t n,
			   struct kvfs_kdump_location *out, struct kvfs_dump_result *result)
{
	for (size_t i = 0; i < set->nr_parts; i++) {
		const struct kvfs_kdump_part *part = &set->parts[i];
		uint64_t from = pfn > part->head.start_pfn ? pfn : part->head.start_pfn;
		uint64_t to = pfn + n < part->head.end_pfn ? pfn + n : part->head.end_pfn;
		struct kvfs_dump_result result_of_part = { 0 };

		if (from >= to)
			continue;
		load_descs(part, rank_in_part(part, from), (size_t)(to - from), out + (from - pfn), &result_of_part);
		kvfs_dump_result_merge(result, &result_of_part, (size_t)(from - pfn));
	}
}
