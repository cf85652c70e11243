// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mincore(2) does for a process itself, in mm/mincore.c of Linux 6.1 to 6.18, and what
 * stands for it here:
 *
 *  page table entry there, or a page under migration or poisoned     1   PAGEMAP_SCAN, pagemap
 *  swap entry                      is it in the swap cache, up to date   swapcache.h; 0 if it
 *                                                                         cannot be seen
 *  nothing, or a marker, in a mapping of a file
 *                   is it in the page cache, up to date; tmpfs: or in     mincore(2) on a mapping
 *                                         the swap cache, up to date      of our own
 *  nothing, otherwise                                                0   PAGEMAP_SCAN, pagemap
 *  hugetlb: the page table alone, but for the page cache where not even a table is there
 *  neither anonymous nor with a file: [vdso], [vvar]             all 1   by their names
 *  a file that the caller neither owns nor may write             all 1   not followed
 *
 * The last line hides from unprivileged processes what others read; root is told the truth.
 */
#include "residency.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "filecache.h"
#include "io.h"
#include "kpageflags.h"
#include "pagemap.h"
#include "procfs.h"
#include "procmaps.h"
#include "swapcache.h"

#define SWAPS_MAX (1024 * 1024)
#define NR_ENTRIES 4096		/* pagemap entries that are looked at together */
#define NR_REGIONS 1024		/* of one PAGEMAP_SCAN */
#define PIECE_PAGES 65536	/* pages of a file that are looked at together */
#define MAX_TRIES 4		/* for a mapping that changes as it is looked at */

struct kvfs_residency {
	struct kvfs_kpageflags *kpf;
	struct kvfs_swapcache *swapcache;	/* NULL: swapcache_err says why */
	struct kvfs_err swapcache_err;
	bool parse_maps;
	bool scan;
};

/* One call of kvfs_residency_load(). */
struct load {
	struct kvfs_residency *res;
	int procdir;
	int pagemap;
	struct kvfs_procmaps *maps;
	bool swap;		/* there is a swap area */
	bool has_table;		/* below: the table was asked for */
	struct kvfs_swapcache_table *table;	/* NULL if it cannot be had */
	struct kvfs_filecache_mounts mounts;
	uint64_t page_size;
	union {			/* never both at a time */
		struct {
			uint64_t entries[NR_ENTRIES];
			struct kvfs_kpageflags_query queries[NR_ENTRIES];
		};
		uint8_t piece[PIECE_PAGES];
	};
	struct kvfs_pagemap_region regions[NR_REGIONS];
};

/* A mapping, or the part of one that is asked for. */
struct part {
	uint64_t start, end;
	uint8_t *vec;			/* of the page at start */
	bool shared;
	bool has_file;
	struct kvfs_filecache file;	/* if has_file */
};

uint8_t kvfs_residency_of_entry(uint64_t entry, uint64_t kpageflags, bool in_page_cache)
{
	uint8_t cached = in_page_cache ? KVFS_RESIDENT_PAGECACHE : 0;
	uint8_t bits = KVFS_RESIDENT | KVFS_RESIDENT_MAPPED;

	switch (kvfs_pagemap_state(entry)) {
	case KVFS_PAGEMAP_NONE:
		return 0;
	case KVFS_PAGEMAP_SWAP:
		return KVFS_RESIDENT_SWAPPED | KVFS_RESIDENT_ANON;
	case KVFS_PAGEMAP_BUSY:
		return KVFS_RESIDENT | (entry & KVFS_PAGEMAP_FILE ? cached : KVFS_RESIDENT_ANON);
	case KVFS_PAGEMAP_MAPPED:
		break;
	}
	if (entry & KVFS_PAGEMAP_FILE)
		return bits | cached;
	if (kpageflags & KVFS_KPF_ANON)		/* the zero page is not */
		bits |= KVFS_RESIDENT_ANON;
	if (kpageflags & KVFS_KPF_SWAPCACHE)
		bits |= KVFS_RESIDENT_SWAPCACHE;
	return bits;
}

uint8_t kvfs_residency_of_categories(uint64_t categories, bool in_page_cache)
{
	uint8_t bits = KVFS_RESIDENT | KVFS_RESIDENT_MAPPED;

	if (!(categories & KVFS_PAGEMAP_SCAN_PRESENT))
		return 0;
	if (categories & KVFS_PAGEMAP_SCAN_FILE)
		return in_page_cache ? bits | KVFS_RESIDENT_PAGECACHE : bits;
	return categories & KVFS_PAGEMAP_SCAN_PFNZERO ? bits : bits | KVFS_RESIDENT_ANON;
}

bool kvfs_residency_has_swap(const char *swaps)
{
	const char *newline = strchr(swaps, '\n');	/* of the heading */

	return newline && newline[1] != '\0';
}

static bool has_swap(void)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	return kvfs_io_read_file("/proc/swaps", SWAPS_MAX, &text, &len) == 0 &&
	       kvfs_residency_has_swap(text);
}

static bool in_page_cache(const struct part *part)
{
	return part->has_file && (part->file.kind == KVFS_FILECACHE_PAGES ||
				  part->file.kind == KVFS_FILECACHE_SHMEM ||
				  part->file.kind == KVFS_FILECACHE_HUGETLB ||
				  part->file.kind == KVFS_FILECACHE_OPAQUE);
}

static bool is_in_swap_cache(struct load *load, uint64_t entry)
{
	if (!load->has_table && load->res->swapcache)
		load->table = kvfs_swapcache_get(load->res->swapcache);
	load->has_table = true;
	return kvfs_swapcache_has(load->table, entry);
}

/* Fills vec from the pagemap entries of n <= NR_ENTRIES pages. */
static int fill_some_entries(struct load *load, const struct part *part, uint64_t addr,
			     uint8_t *vec, size_t n)
{
	bool cached = in_page_cache(part);
	size_t nr_queries = 0;
	int ret;

	ret = kvfs_pagemap_read_entries(load->pagemap, load->entries, n, addr / load->page_size);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < n; i++) {
		uint64_t entry = load->entries[i];

		if ((entry & KVFS_PAGEMAP_PRESENT) && !(entry & KVFS_PAGEMAP_FILE))
			load->queries[nr_queries++] = (struct kvfs_kpageflags_query) {
				.pfn = entry & KVFS_PAGEMAP_PFN_MASK,
				.index = i,
			};
		else
			vec[i] = kvfs_residency_of_entry(entry, 0, cached);
		if (kvfs_pagemap_state(entry) == KVFS_PAGEMAP_SWAP && is_in_swap_cache(load, entry))
			vec[i] |= KVFS_RESIDENT | KVFS_RESIDENT_SWAPCACHE;
	}
	if (!nr_queries)
		return 0;
	ret = kvfs_kpageflags_load(load->res->kpf, load->queries, nr_queries);
	for (size_t q = 0; q < nr_queries && ret == 0; q++) {
		size_t i = load->queries[q].index;

		vec[i] = kvfs_residency_of_entry(load->entries[i], load->queries[q].flags, cached);
	}
	return ret;
}

static int fill_entries(struct load *load, const struct part *part, uint64_t start, uint64_t end)
{
	for (uint64_t addr = start; addr < end;) {
		uint64_t left = (end - addr) / load->page_size;
		size_t n = left < NR_ENTRIES ? (size_t)left : NR_ENTRIES;
		int ret = fill_some_entries(load, part, addr,
					    part->vec + (addr - part->start) / load->page_size, n);

		if (ret < 0)
			return ret;
		addr += n * load->page_size;
	}
	return 0;
}

/*
 * What is looked for with PAGEMAP_SCAN, and what the pages are that are not found. Shared mappings
 * have pages of the file only, so that the kernel need not look whose each page is.
 */
struct plan {
	struct kvfs_pagemap_query query;
	uint64_t implied;	/* categories that all present pages have */
	uint8_t others;		/* byte of a page that is not found */
};

/* Finds all that there is. */
static struct plan plan_for_any(const struct part *part)
{
	const uint64_t there = KVFS_PAGEMAP_SCAN_PRESENT | KVFS_PAGEMAP_SCAN_SWAPPED;
	const uint64_t whose = KVFS_PAGEMAP_SCAN_FILE | KVFS_PAGEMAP_SCAN_PFNZERO;

	return (struct plan) {
		.query = { .anyof = there, .report = part->shared ? there : there | whose },
		.implied = part->shared ? KVFS_PAGEMAP_SCAN_FILE : 0,
	};
}

/* Finds what is not as the mapping would have it: a page in each place, of the file if there is one. */
static struct plan plan_for_exceptions(const struct part *part)
{
	struct plan plan = plan_for_any(part);

	if (part->has_file) {
		plan.query.inverted = KVFS_PAGEMAP_SCAN_PRESENT | (part->shared ? 0 : KVFS_PAGEMAP_SCAN_FILE);
		plan.query.anyof |= plan.query.inverted;
		plan.others = kvfs_residency_of_categories(KVFS_PAGEMAP_SCAN_PRESENT | KVFS_PAGEMAP_SCAN_FILE,
							   in_page_cache(part));
	} else {
		plan.query.inverted = KVFS_PAGEMAP_SCAN_PRESENT;
		plan.query.anyof |= KVFS_PAGEMAP_SCAN_FILE | KVFS_PAGEMAP_SCAN_PFNZERO;
		plan.others = kvfs_residency_of_categories(KVFS_PAGEMAP_SCAN_PRESENT, false);
	}
	return plan;
}

static int fill_scan(struct load *load, const struct part *part, const struct plan *plan)
{
	bool cached = in_page_cache(part);
	uint64_t addr = part->start;

	memset(part->vec, plan->others, (part->end - part->start) / load->page_size);
	while (addr < part->end) {
		ssize_t n = kvfs_pagemap_scan(load->pagemap, addr, part->end, &plan->query,
					      load->regions, NR_REGIONS, &addr);

		if (n < 0)
			return (int)n;
		for (ssize_t i = 0; i < n; i++) {
			const struct kvfs_pagemap_region *r = &load->regions[i];
			int ret;

			memset(part->vec + (r->start - part->start) / load->page_size,
			       kvfs_residency_of_categories(r->categories | plan->implied, cached),
			       (r->end - r->start) / load->page_size);
			/* What is in swap, or looks so, is looked at entry by entry. */
			if (!(r->categories & KVFS_PAGEMAP_SCAN_SWAPPED))
				continue;
			ret = fill_entries(load, part, r->start, r->end);
			if (ret < 0)
				return ret;
		}
	}
	return 0;
}

/* Whether a mapping is still what it was. */
static int is_unchanged(struct load *load, const struct kvfs_procmap *map)
{
	struct kvfs_procmap now;
	int ret = kvfs_procmaps_find(load->maps, map->start, &now);

	if (ret <= 0)
		return ret;
	return now.start == map->start && now.end == map->end && now.file_off == map->file_off &&
	       now.inode == map->inode && now.dev_major == map->dev_major &&
	       now.dev_minor == map->dev_minor && now.kind == map->kind && now.shared == map->shared;
}

/*
 * By exceptions where that is cheap and safe: not in mappings that the kernel never walks
 * (VM_PFNMAP), and only if the mapping is there before and after.
 */
static int fill_by_scan(struct load *load, const struct kvfs_procmap *map, const struct part *part)
{
	bool is_plain = part->has_file ? part->file.fd >= 0 || part->file.kind == KVFS_FILECACHE_HUGETLB
				       : map->kind == KVFS_PROCMAP_ANON;
	struct plan plan;
	int ret;

	if (is_plain && !load->res->parse_maps && kvfs_procmaps_can_query()) {
		plan = plan_for_exceptions(part);
		ret = fill_scan(load, part, &plan);
		if (ret < 0)
			return ret;
		ret = is_unchanged(load, map);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	plan = plan_for_any(part);
	return fill_scan(load, part, &plan);
}

static int fill_page_table(struct load *load, const struct kvfs_procmap *map, const struct part *part)
{
	/*
	 * PAGEMAP_SCAN does not know of the swap cache, in which anonymous pages can be, nor
	 * which of a device's private pages are copies.
	 */
	bool may_be_anon = !part->shared;
	bool is_device = part->has_file && part->file.kind == KVFS_FILECACHE_DEVICE;

	if (load->res->scan && !(may_be_anon && (load->swap || is_device)))
		return fill_by_scan(load, map, part);
	return fill_entries(load, part, part->start, part->end);
}

/* What the page table does not have may be in the file's page cache: n <= PIECE_PAGES pages. */
static int fill_file_piece(struct load *load, const struct part *part, uint64_t addr, uint8_t *vec,
			   size_t n)
{
	const struct kvfs_filecache *file = &part->file;
	uint8_t page_mark = KVFS_RESIDENT_PAGECACHE;
	int ret;

	memset(load->piece, 0, n);
	ret = kvfs_filecache_resident(file, addr, load->piece, n);
	if (ret == 0 && file->kind == KVFS_FILECACHE_SHMEM && load->swap) {
		ret = kvfs_filecache_mark_swapped(file, addr, load->piece, n, KVFS_RESIDENT_SWAPPED);
		if (ret == 0)
			ret = kvfs_filecache_mark_cache(file, addr, load->piece, n, 0, page_mark,
							KVFS_RESIDENT_SWAPCACHE | KVFS_RESIDENT_SWAPPED);
		if (ret == 0)
			page_mark = 0;		/* all are marked */
		else if (ret == -ENOSYS)
			ret = 0;
	}
	for (size_t i = 0; i < n && ret == 0; i++)
		if (!vec[i])
			vec[i] = load->piece[i] & KVFS_RESIDENT ? load->piece[i] | page_mark : load->piece[i];
	return ret;
}

static int fill_file(struct load *load, const struct part *part)
{
	size_t n = (size_t)((part->end - part->start) / load->page_size);
	size_t i = 0;

	while (i < n) {
		const uint8_t *first = memchr(part->vec + i, 0, n - i);
		size_t end;
		int ret;

		if (!first)
			return 0;
		i = (size_t)(first - part->vec);
		end = n - i < PIECE_PAGES ? n : i + PIECE_PAGES;
		while (part->vec[end - 1])	/* ends at i at the latest */
			end--;
		ret = fill_file_piece(load, part, part->start + i * load->page_size, part->vec + i, end - i);
		if (ret < 0)
			return ret;
		i = end;
	}
	return 0;
}

static int fill_part(struct load *load, const struct kvfs_procmap *map, const struct part *part)
{
	int ret = fill_page_table(load, map, part);

	if (ret == 0 && part->has_file && part->file.fd >= 0)
		ret = fill_file(load, part);
	return ret;
}

/*
 * Fills the part of a mapping that lies in [start, end); vec belongs to start. Without
 * ask_file what the page table has is all that is shown. -ENOENT: there is no such mapping.
 */
static int fill_mapping(struct load *load, const struct kvfs_procmap *map, bool ask_file,
			uint64_t start, uint64_t end, uint8_t *vec)
{
	struct part part = {
		.start = map->start > start ? map->start : start,
		.end = map->end < end ? map->end : end,
		.shared = map->shared,
		.has_file = map->kind == KVFS_PROCMAP_FILE,
		.file = { .kind = KVFS_FILECACHE_OPAQUE, .fd = -1 },
	};
	int ret;

	part.vec = vec + (part.start - start) / load->page_size;
	if (part.has_file && ask_file) {
		ret = kvfs_filecache_open(load->procdir, &load->mounts, map, &part.file);
		if (ret < 0)
			return ret;
	}
	ret = fill_part(load, map, &part);
	if (part.has_file)
		kvfs_filecache_close(&part.file);
	if (ret == 0 && map->kind == KVFS_PROCMAP_SPECIAL)
		for (uint64_t i = 0; i < (part.end - part.start) / load->page_size; i++)
			part.vec[i] |= KVFS_RESIDENT;
	return ret;
}

static int fill_range(struct load *load, uint64_t start, uint64_t end, uint8_t *vec)
{
	unsigned int tries = 0;
	uint64_t addr = start;

	while (addr < end) {
		struct kvfs_procmap map;
		int ret = kvfs_procmaps_find(load->maps, addr, &map);

		if (ret < 0)
			return ret;
		if (ret == 0 || map.start >= end)
			return 0;
		ret = fill_mapping(load, &map, tries < MAX_TRIES, addr, end,
				   vec + (addr - start) / load->page_size);
		/* Split, moved or gone since it was found: once more, as it is now. */
		if (ret == -ENOENT && tries++ < MAX_TRIES)
			continue;
		if (ret < 0)
			return ret;
		tries = 0;
		addr = map.end;
	}
	return 0;
}

int kvfs_residency_create(const struct kvfs_residency_config *config, struct kvfs_residency **out,
			  struct kvfs_err *err)
{
	static const struct kvfs_swapcache_config swapcache = {
		.kcore = "/proc/kcore",
		.kpageflags = "/proc/kpageflags",
	};
	struct kvfs_residency *res = calloc(1, sizeof(*res));
	int ret;

	if (!res)
		return kvfs_err_sys(err, ENOMEM, "residency");
	res->parse_maps = config->parse_maps;
	res->scan = !config->no_scan && kvfs_pagemap_can_scan();
	ret = kvfs_kpageflags_create(&res->kpf, err);
	if (ret < 0) {
		free(res);
		return ret;
	}
	kvfs_swapcache_create(&swapcache, &res->swapcache, &res->swapcache_err);
	*out = res;
	return 0;
}

bool kvfs_residency_sees_swap_cache(const struct kvfs_residency *res, const char **reason)
{
	*reason = res->swapcache_err.msg;
	return res->swapcache;
}

void kvfs_residency_destroy(struct kvfs_residency *res)
{
	if (!res)
		return;
	kvfs_swapcache_destroy(res->swapcache);
	kvfs_kpageflags_destroy(res->kpf);
	free(res);
}

int kvfs_residency_load(struct kvfs_residency *res, int procdir, uint64_t index, uint8_t *vec,
			size_t n)
{
	_cleanup_free_ struct load *load = malloc(sizeof(*load));
	_cleanup_close_ int pagemap = -1;
	uint64_t start, end, entry;
	int ret;

	if (!load)
		return -ENOMEM;
	load->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	if (!kvfs_mul_u64(index, load->page_size, &start) ||
	    !kvfs_mul_u64(n, load->page_size, &end) || !kvfs_add_u64(start, end, &end))
		return -EINVAL;
	pagemap = kvfs_procfs_openat(procdir, "pagemap", O_RDONLY);
	if (pagemap < 0)
		return pagemap;
	ret = kvfs_procmaps_open(procdir, res->parse_maps, &load->maps);
	if (ret < 0)
		return ret;
	load->res = res;
	load->procdir = procdir;
	load->pagemap = pagemap;
	load->swap = has_swap();
	load->mounts = (struct kvfs_filecache_mounts){ 0 };
	load->has_table = false;
	load->table = NULL;
	memset(vec, 0, n);
	ret = fill_range(load, start, end, vec);
	kvfs_filecache_mounts_deinit(&load->mounts);
	if (load->table)
		kvfs_swapcache_put(res->swapcache, load->table);
	kvfs_procmaps_close(load->maps);
	/* Empty, or gone before it was looked at? */
	return ret < 0 ? ret : kvfs_pagemap_read_entries(pagemap, &entry, 1, 0);
}
