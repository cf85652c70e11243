// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mincore(2) reports of the caller's own pages, by mm/mincore.c of Linux 6.1 to 6.18, and where
 * this file takes the same from:
 *
 *  the page table holds                          mincore(2)           here
 *  a page, also under migration or poisoned      1                    PAGEMAP_SCAN, pagemap
 *  a swap entry                                  1 if it is in the    swapcache.h; 0 if the swap
 *                                                swap cache           cache cannot be seen
 *  nothing or a marker, mapping of a file        1 if it is in the    mincore(2) on a mapping of
 *                                                page cache, or for   the daemon's own
 *                                                tmpfs in the swap
 *                                                cache
 *  nothing, otherwise                            0                    PAGEMAP_SCAN, pagemap
 *
 * Exceptions: hugetlb counts by the page table alone, where mincore(2) looks into the page cache if
 * there is no page table. Mappings that are neither anonymous nor of a file ([vdso], [vvar]) are all
 * 1, recognised by their names. mincore(2) also reports 1 for all pages of a file that the caller
 * neither owns nor may write, to hide from unprivileged processes what others read; readers of
 * pid/ are root and get the truth.
 */
#include "pid/mincore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/parallel.h"
#include "pid/kpageflags.h"
#include "pid/maps.h"
#include "pid/pagecache.h"
#include "pid/pagemap.h"
#include "pid/pagetable.h"
#include "pid/swapcache.h"

#define SWAPS_LEN 256	/* bytes of /proc/swaps: more than its heading */
#define PIECE_PAGES 65536	/* pages of a file that are judged together */
#define PARALLEL_PAGES 65536	/* fewest pages for which another CPU is worth its cost */
#define MAX_TRIES 4		/* for a mapping that changes while it is judged */

struct kvfs_mincore {
	struct kvfs_pool *pool;
	struct kvfs_kpageflags *kpf;
	struct kvfs_swapcache *swapcache;	/* NULL: swapcache_err says why */
	struct kvfs_err swapcache_err;
	bool parse_maps;
	bool no_scan;
};

/* The part of a request that one CPU does. */
struct load {
	struct kvfs_mincore *mincore;
	int procdir;
	bool swap;		/* there is a swap area */
	bool scan;		/* PAGEMAP_SCAN can be used */
	struct kvfs_pagetable *table;
	struct kvfs_maps *maps;
	struct kvfs_may_block may_block;
	uint64_t page_size;
	uint8_t piece[PIECE_PAGES];
};

/* The part of a mapping that is requested. */
struct part {
	struct kvfs_pagetable_part pages;
	struct kvfs_pagecache file;	/* if pages.of_file */
};

bool kvfs_mincore_has_swap(const char *swaps)
{
	const char *newline = strchr(swaps, '\n');	/* of the heading */

	return newline && newline[1] != '\0';
}

/* Tells whether the machine has any swap area: 1, 0, or -errno. */
static int has_swap(void)
{
	_cleanup_close_ int fd = open("/proc/swaps", O_RDONLY | O_CLOEXEC);
	char text[SWAPS_LEN + 1];
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;	/* a kernel without CONFIG_SWAP */
	n = kvfs_io_pread(fd, text, SWAPS_LEN, 0);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	return kvfs_mincore_has_swap(text);
}

static bool in_page_cache(enum kvfs_pagecache_kind kind)
{
	return kind == KVFS_PAGECACHE_PAGES || kind == KVFS_PAGECACHE_SHMEM ||
	       kind == KVFS_PAGECACHE_HUGETLB || kind == KVFS_PAGECACHE_OPAQUE;
}

/* Tells whether a mapping is still what it was: 1, 0, or -errno. */
static int is_unchanged(struct load *load, const struct kvfs_mapping *map)
{
	struct kvfs_mapping now;
	int ret = kvfs_maps_find(load->maps, map->start, &now);

	if (ret <= 0)
		return ret;
	return now.start == map->start && now.end == map->end && now.file_off == map->file_off &&
	       now.inode == map->inode && now.dev_major == map->dev_major &&
	       now.dev_minor == map->dev_minor && now.kind == map->kind && now.shared == map->shared;
}

/*
 * Scans by exceptions where that is right: not in VM_PFNMAP mappings, which the kernel does not
 * walk, and only if the mapping is the same before and after.
 */
static int fill_by_scan(struct load *load, const struct kvfs_mapping *map, const struct part *part)
{
	bool is_plain = part->pages.of_file ? part->file.fd >= 0 || part->file.kind == KVFS_PAGECACHE_HUGETLB
					    : map->kind == KVFS_MAPPING_ANON;
	int ret;

	if (is_plain && !load->mincore->parse_maps && kvfs_maps_can_query()) {
		ret = kvfs_pagetable_scan(load->table, &part->pages, true);
		if (ret < 0)
			return ret;
		ret = is_unchanged(load, map);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	return kvfs_pagetable_scan(load->table, &part->pages, false);
}

static int fill_page_table(struct load *load, const struct kvfs_mapping *map, const struct part *part)
{
	/*
	 * PAGEMAP_SCAN does not tell which anonymous pages are in the swap cache, nor which pages
	 * of a private mapping of a device are copies.
	 */
	bool may_be_anon = !part->pages.shared;
	bool is_device = part->pages.of_file && part->file.kind == KVFS_PAGECACHE_DEVICE;

	if (load->scan && !(may_be_anon && (load->swap || is_device)))
		return fill_by_scan(load, map, part);
	return kvfs_pagetable_entries(load->table, &part->pages);
}

/* Looks up n <= PIECE_PAGES pages in the file's page cache, for those that the page table lacks. */
static int fill_file_piece(struct load *load, const struct part *part, uint64_t addr, uint8_t *vec,
			   size_t n)
{
	const struct kvfs_pagecache *file = &part->file;
	uint8_t page_mark = KVFS_MINCORE_PAGECACHE;
	int ret;

	memset(load->piece, 0, n);
	ret = kvfs_pagecache_resident(file, addr, load->piece, n);
	if (ret == 0 && file->kind == KVFS_PAGECACHE_SHMEM && load->swap) {
		ret = kvfs_pagecache_mark_swapped(file, addr, load->piece, n, KVFS_MINCORE_SWAPPED);
		if (ret == 0)
			ret = kvfs_pagecache_mark_cache(file, addr, load->piece, n, 0, page_mark,
							KVFS_MINCORE_SWAPCACHE | KVFS_MINCORE_SWAPPED);
		if (ret == 0)
			page_mark = 0;		/* all are marked now */
		else if (ret == -ENOSYS)
			ret = 0;
	}
	for (size_t i = 0; i < n && ret == 0; i++)
		if (!vec[i])
			vec[i] = load->piece[i] & KVFS_MINCORE_RESIDENT ? load->piece[i] | page_mark : load->piece[i];
	return ret;
}

static int fill_file(struct load *load, const struct part *part)
{
	const struct kvfs_pagetable_part *pages = &part->pages;
	size_t n = (size_t)((pages->end - pages->start) / load->page_size);
	size_t i = 0;

	while (i < n) {
		const uint8_t *first = memchr(pages->vec + i, 0, n - i);
		size_t end;
		int ret;

		if (!first)
			return 0;
		i = (size_t)(first - pages->vec);
		end = n - i < PIECE_PAGES ? n : i + PIECE_PAGES;
		while (pages->vec[end - 1])	/* vec[i] is 0 */
			end--;
		ret = fill_file_piece(load, part, pages->start + i * load->page_size, pages->vec + i,
				      end - i);
		if (ret < 0)
			return ret;
		i = end;
	}
	return 0;
}

static int fill_part(struct load *load, const struct kvfs_mapping *map, const struct part *part)
{
	int ret = fill_page_table(load, map, part);

	if (ret == 0 && part->file.fd >= 0)
		ret = fill_file(load, part);
	return ret;
}

/*
 * Fills the part of a mapping that lies in [start, end); vec[0] is for the page at start. Without
 * ask_file only the page table is used. Returns 0, -ENOENT if there is no such mapping any more, or
 * -errno.
 */
static int fill_mapping(struct load *load, const struct kvfs_mapping *map, bool ask_file,
			uint64_t start, uint64_t end, uint8_t *vec)
{
	struct part part = {
		.pages = {
			.start = map->start > start ? map->start : start,
			.end = map->end < end ? map->end : end,
			.shared = map->shared,
			.of_file = map->kind == KVFS_MAPPING_FILE,
		},
		.file = { .kind = KVFS_PAGECACHE_OPAQUE, .fd = -1 },
	};
	struct kvfs_pagetable_part *pages = &part.pages;
	int ret;

	pages->vec = vec + (pages->start - start) / load->page_size;
	if (pages->of_file && ask_file) {
		ret = kvfs_pagecache_open(load->procdir, &load->may_block, map, &part.file);
		if (ret < 0)
			return ret;
	}
	pages->in_page_cache = pages->of_file && in_page_cache(part.file.kind);
	ret = fill_part(load, map, &part);
	if (pages->of_file)
		kvfs_pagecache_close(&part.file);
	if (ret == 0 && map->kind == KVFS_MAPPING_SPECIAL)
		for (uint64_t i = 0; i < (pages->end - pages->start) / load->page_size; i++)
			pages->vec[i] |= KVFS_MINCORE_RESIDENT;
	return ret;
}

static int fill_range(struct load *load, uint64_t start, uint64_t end, uint8_t *vec)
{
	unsigned int tries = 0;
	uint64_t addr = start;

	while (addr < end) {
		struct kvfs_mapping map;
		int ret = kvfs_maps_find(load->maps, addr, &map);

		if (ret < 0)
			return ret;
		if (ret == 0 || map.start >= end)
			return 0;
		ret = fill_mapping(load, &map, tries < MAX_TRIES, addr, end,
				   vec + (addr - start) / load->page_size);
		/* The mapping was split, moved or removed since it was found: find it again. */
		if (ret == -ENOENT && tries++ < MAX_TRIES)
			continue;
		if (ret < 0)
			return ret;
		tries = 0;
		addr = map.end;
	}
	return 0;
}

int kvfs_mincore_create(const struct kvfs_mincore_config *config, struct kvfs_mincore **out,
			struct kvfs_err *err)
{
	static const struct kvfs_swapcache_config swapcache = {
		.kcore = "/proc/kcore",
		.kpageflags = "/proc/kpageflags",
	};
	struct kvfs_mincore *mincore = calloc(1, sizeof(*mincore));
	int ret;

	if (!mincore)
		return kvfs_err_sys(err, ENOMEM, "mincore");
	mincore->pool = config->pool;
	mincore->parse_maps = config->parse_maps;
	mincore->no_scan = config->no_scan;
	ret = kvfs_kpageflags_create(&mincore->kpf, err);
	if (ret < 0) {
		free(mincore);
		return ret;
	}
	ret = kvfs_swapcache_create(&swapcache, &mincore->swapcache, &mincore->swapcache_err);
	if (kvfs_err_is_shortage(ret)) {
		kvfs_err_set(err, -ret, "%s", mincore->swapcache_err.msg);
		kvfs_mincore_destroy(mincore);
		return ret;
	}
	*out = mincore;
	return 0;
}

bool kvfs_mincore_sees_swap_cache(const struct kvfs_mincore *mincore, const char **reason)
{
	*reason = mincore->swapcache_err.msg;
	return mincore->swapcache;
}

void kvfs_mincore_destroy(struct kvfs_mincore *mincore)
{
	if (!mincore)
		return;
	kvfs_swapcache_destroy(mincore->swapcache);
	kvfs_kpageflags_destroy(mincore->kpf);
	free(mincore);
}

/* A call of kvfs_mincore_load(). */
struct request {
	struct kvfs_mincore *mincore;
	int procdir;
	uint64_t index;
	uint8_t *vec;
	bool swap;
};

static int load_open(const struct request *request, struct load **out)
{
	struct kvfs_mincore *mincore = request->mincore;
	const struct kvfs_pagetable_config config = { .kpf = mincore->kpf, .swapcache = mincore->swapcache };
	_cleanup_free_ struct load *load = malloc(sizeof(*load));
	int ret;

	if (!load)
		return -ENOMEM;
	load->mincore = mincore;
	load->procdir = request->procdir;
	load->swap = request->swap;
	load->scan = !mincore->no_scan && kvfs_pagemap_can_scan();
	load->may_block = (struct kvfs_may_block){ 0 };
	load->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	ret = kvfs_pagetable_open(load->procdir, &config, &load->table);
	if (ret < 0)
		return ret;
	ret = kvfs_maps_open(load->procdir, mincore->parse_maps, &load->maps);
	if (ret < 0) {
		kvfs_pagetable_close(load->table);
		return ret;
	}
	*out = load;
	load = NULL;
	return 0;
}

static void load_close(struct load *load)
{
	kvfs_may_block_deinit(&load->may_block);
	kvfs_maps_close(load->maps);
	kvfs_pagetable_close(load->table);
	free(load);
}

/* For kvfs_parallel(): the pages [first, first + n) of a request. */
static int load_pages(void *arg, size_t first, size_t n)
{
	const struct request *request = arg;
	struct load *load;
	uint64_t start;
	int ret;

	ret = load_open(request, &load);
	if (ret < 0)
		return ret;
	start = (request->index + first) * load->page_size;
	ret = fill_range(load, start, start + n * load->page_size, request->vec + first);
	/* An address space that has gone looks like one without mappings. */
	if (ret == 0)
		ret = kvfs_pagetable_check(load->table);
	load_close(load);
	return ret;
}

int kvfs_mincore_load(struct kvfs_mincore *mincore, int procdir, uint64_t index, uint8_t *vec,
		      size_t n)
{
	struct request request = {
		.mincore = mincore,
		.procdir = procdir,
		.index = index,
		.vec = vec,
	};
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE), start, end;
	int ret;

	if (!kvfs_mul_u64(index, page_size, &start) || !kvfs_mul_u64(n, page_size, &end) ||
	    !kvfs_add_u64(start, end, &end))
		return -EINVAL;
	ret = has_swap();
	if (ret < 0)
		return ret;
	request.swap = ret;
	memset(vec, 0, n);
	return kvfs_parallel(mincore->pool, n, PARALLEL_PAGES, load_pages, &request);
}
