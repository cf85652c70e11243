// SPDX-License-Identifier: GPL-2.0-only
#include "pid/pagetable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "pid/mincore_bits.h"
#include "pid/pagemap.h"
#include "pid/process.h"

#define NR_ENTRIES 4096		/* pagemap entries that are read together */
#define NR_REGIONS 1024		/* results of one PAGEMAP_SCAN */

struct kvfs_pagetable {
	struct kvfs_pagetable_config config;
	int pagemap;
	uint64_t page_size;
	bool asked_swapped;	/* swapped is set */
	struct kvfs_swapcache_table *swapped;	/* NULL if the swap cache cannot be seen */
	uint64_t entries[NR_ENTRIES];
	struct kvfs_kpageflags_query queries[NR_ENTRIES];
	struct kvfs_pagemap_region regions[NR_REGIONS];
};

int kvfs_pagetable_open(int procdir, const struct kvfs_pagetable_config *config,
			struct kvfs_pagetable **out)
{
	_cleanup_close_ int pagemap = kvfs_process_openat(procdir, "pagemap", O_RDONLY);
	struct kvfs_pagetable *table;

	if (pagemap < 0)
		return pagemap;
	table = malloc(sizeof(*table));
	if (!table)
		return -ENOMEM;
	table->config = *config;
	table->pagemap = kvfs_steal_fd(&pagemap);
	table->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	table->asked_swapped = false;
	table->swapped = NULL;
	*out = table;
	return 0;
}

void kvfs_pagetable_close(struct kvfs_pagetable *table)
{
	if (table->swapped)
		kvfs_swapcache_put(table->config.swapcache, table->swapped);
	close(table->pagemap);
	free(table);
}

int kvfs_pagetable_check(struct kvfs_pagetable *table)
{
	return kvfs_pagemap_check(table->pagemap);
}

/* Tells whether the page of an entry that is in swap is in the swap cache: 1, 0, or -errno. */
static int is_in_swap_cache(struct kvfs_pagetable *table, uint64_t entry)
{
	int ret;

	if (!table->asked_swapped && table->config.swapcache) {
		ret = kvfs_swapcache_get(table->config.swapcache, &table->swapped);
		/* Other errors mean that it cannot be seen any more, as under lockdown. */
		if (kvfs_err_is_shortage(ret) || ret == -EIO)
			return ret;
	}
	table->asked_swapped = true;
	return kvfs_swapcache_has(table->swapped, entry);
}

/* Fills vec from the pagemap entries of n <= NR_ENTRIES pages. */
static int fill_some_entries(struct kvfs_pagetable *table, const struct kvfs_pagetable_part *part,
			     uint64_t addr, uint8_t *vec, size_t n)
{
	bool cached = part->in_page_cache;
	size_t nr_queries = 0;
	int ret;

	ret = kvfs_pagemap_read_entries(table->pagemap, table->entries, n, addr / table->page_size);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < n; i++) {
		uint64_t entry = table->entries[i];

		if ((entry & KVFS_PAGEMAP_PRESENT) && !(entry & KVFS_PAGEMAP_FILE))
			table->queries[nr_queries++] = (struct kvfs_kpageflags_query) {
				.pfn = entry & KVFS_PAGEMAP_PFN_MASK,
				.index = i,
			};
		else
			vec[i] = kvfs_mincore_bits_of_entry(entry, 0, cached);
		if (kvfs_pagemap_state(entry) != KVFS_PAGEMAP_SWAP)
			continue;
		ret = is_in_swap_cache(table, entry);
		if (ret < 0)
			return ret;
		if (ret)
			vec[i] |= KVFS_MINCORE_RESIDENT | KVFS_MINCORE_SWAPCACHE;
	}
	if (!nr_queries)
		return 0;
	ret = kvfs_kpageflags_load(table->config.kpf, table->queries, nr_queries);
	for (size_t q = 0; q < nr_queries && ret == 0; q++) {
		size_t i = table->queries[q].index;

		vec[i] = kvfs_mincore_bits_of_entry(table->entries[i], table->queries[q].flags, cached);
	}
	return ret;
}

static int fill_entries(struct kvfs_pagetable *table, const struct kvfs_pagetable_part *part,
			uint64_t start, uint64_t end)
{
	for (uint64_t addr = start; addr < end;) {
		uint64_t left = (end - addr) / table->page_size;
		size_t n = left < NR_ENTRIES ? (size_t)left : NR_ENTRIES;
		int ret = fill_some_entries(table, part, addr,
					    part->vec + (addr - part->start) / table->page_size, n);

		if (ret < 0)
			return ret;
		addr += n * table->page_size;
	}
	return 0;
}

int kvfs_pagetable_entries(struct kvfs_pagetable *table, const struct kvfs_pagetable_part *part)
{
	return fill_entries(table, part, part->start, part->end);
}

/*
 * A search with PAGEMAP_SCAN and its meaning for all pages. Shared mappings have only pages
 * of the file, so that the kernel need not find out the owner of each page.
 */
struct plan {
	struct kvfs_pagemap_query query;
	uint64_t implied;	/* categories of each page that is found */
	uint8_t others;		/* byte of a page that is not found */
};

/* Finds each page that is present or in swap. */
static struct plan plan_for_any(const struct kvfs_pagetable_part *part)
{
	const uint64_t there = KVFS_PAGEMAP_SCAN_PRESENT | KVFS_PAGEMAP_SCAN_SWAPPED;
	const uint64_t whose = KVFS_PAGEMAP_SCAN_FILE | KVFS_PAGEMAP_SCAN_PFNZERO;

	return (struct plan) {
		.query = { .anyof = there, .report = part->shared ? there : there | whose },
		.implied = part->shared ? KVFS_PAGEMAP_SCAN_FILE : 0,
	};
}

/* Finds each page that is not the usual one: present, and of the file if there is a file. */
static struct plan plan_for_exceptions(const struct kvfs_pagetable_part *part)
{
	struct plan plan = plan_for_any(part);

	if (part->of_file) {
		plan.query.inverted = KVFS_PAGEMAP_SCAN_PRESENT | (part->shared ? 0 : KVFS_PAGEMAP_SCAN_FILE);
		plan.query.anyof |= plan.query.inverted;
		plan.others = kvfs_mincore_bits_of_categories(KVFS_PAGEMAP_SCAN_PRESENT | KVFS_PAGEMAP_SCAN_FILE,
							      part->in_page_cache);
	} else {
		plan.query.inverted = KVFS_PAGEMAP_SCAN_PRESENT;
		plan.query.anyof |= KVFS_PAGEMAP_SCAN_FILE | KVFS_PAGEMAP_SCAN_PFNZERO;
		plan.others = kvfs_mincore_bits_of_categories(KVFS_PAGEMAP_SCAN_PRESENT, false);
	}
	return plan;
}

int kvfs_pagetable_scan(struct kvfs_pagetable *table, const struct kvfs_pagetable_part *part,
			bool by_exceptions)
{
	const struct plan plan = by_exceptions ? plan_for_exceptions(part) : plan_for_any(part);
	bool cached = part->in_page_cache;
	uint64_t addr = part->start;

	memset(part->vec, plan.others, (part->end - part->start) / table->page_size);
	while (addr < part->end) {
		ssize_t n = kvfs_pagemap_scan(table->pagemap, addr, part->end, &plan.query,
					      table->regions, NR_REGIONS, &addr);

		if (n < 0)
			return (int)n;
		for (ssize_t i = 0; i < n; i++) {
			const struct kvfs_pagemap_region *r = &table->regions[i];
			int ret;

			memset(part->vec + (r->start - part->start) / table->page_size,
			       kvfs_mincore_bits_of_categories(r->categories | plan.implied, cached),
			       (r->end - r->start) / table->page_size);
			/* The scan does not tell swap from migration, markers and the like. */
			if (!(r->categories & KVFS_PAGEMAP_SCAN_SWAPPED))
				continue;
			ret = fill_entries(table, part, r->start, r->end);
			if (ret < 0)
				return ret;
		}
	}
	return 0;
}
