// SPDX-License-Identifier: GPL-2.0-only
#include "pid/swapcache.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/vector.h"
#include "elf/load.h"
#include "kernel/vmcoreinfo.h"

/* linux/kernel-page-flags.h */
#define KPF_UPTODATE (UINT64_C(1) << 3)
#define KPF_SWAPCACHE (UINT64_C(1) << 13)
#define KPF_COMPOUND_TAIL (UINT64_C(1) << 16)

#define PAGE_LEN UINT64_C(4096)
#define VMEMMAP_ALIGN (UINT64_C(1) << 30)
#define MAX_STRUCT_LEN 4096
/* swp_entry_t of 64-bit kernels (linux/swapops.h): 58 bits of offset, then the type. */
#define SWP_OFFSET_BITS 58
/* An entry of pagemap: 5 bits of type, then 50 of the offset. */
#define ENTRY_TYPE_BITS 5
#define ENTRY_OFFSET_BITS 50
#define OFFSET_MASK ((UINT64_C(1) << ENTRY_OFFSET_BITS) - 1)

#define NR_WORDS 8192			/* words of kpageflags that are read together */
#define MAX_KEYS (1024 * 1024)		/* 8 MiB: further entries are left out */
#define KEEP_NS (50 * 1000 * 1000)
#define KEEP_TIMES 10

struct kvfs_swapcache_table {
	unsigned int refs;		/* the cache's lock protects it */
	uint64_t good_until_ns;
	size_t n, cap;
	uint64_t *keys;			/* sorted results of key_of() */
};

struct kvfs_swapcache {
	const char *kcore, *kpageflags;
	pthread_mutex_t lock;		/* protects the members below and refs of tables */
	pthread_cond_t made;		/* signalled when making becomes false */
	bool making;			/* one thread makes a table and the others wait */
	struct kvfs_swapcache_table *latest;	/* a reference, or NULL */
};

/* Address and layout of struct page. */
struct layout {
	struct kvfs_memmap map;
	uint64_t vmemmap, struct_len, private_off;
};

/* State while a table is made. */
struct scan {
	struct kvfs_swapcache_table *table;
	struct layout layout;
	int kcore, kpageflags;
	/* The head of the compound page whose tails come next, and its swap entry. */
	uint64_t head_pfn, head_entry;
	bool has_head;
	uint64_t words[NR_WORDS];
};

static uint64_t key_of(uint64_t type, uint64_t offset)
{
	return type << ENTRY_OFFSET_BITS | (offset & OFFSET_MASK);
}

int kvfs_swapcache_find_vmemmap(const struct kvfs_memmap *map, uint64_t page_len, uint64_t *base)
{
	uint64_t first, start, end;

	if (!map->nr_ram || !page_len || page_len > MAX_STRUCT_LEN)
		return -ENODATA;
	first = map->ram[0].paddr / PAGE_LEN;
	start = first * page_len & ~(PAGE_LEN - 1);
	end = (first + map->ram[0].len / PAGE_LEN) * page_len;
	end = (end + PAGE_LEN - 1) & ~(PAGE_LEN - 1);
	for (size_t i = 0; i < map->nr_other; i++) {
		const struct kvfs_segment *seg = &map->other[i];

		if (seg->len == end - start && (seg->vaddr - start) % VMEMMAP_ALIGN == 0) {
			*base = seg->vaddr - start;
			return 0;
		}
	}
	return -ENODATA;
}

static int load_layout(int fd, const char *name, struct layout *out, struct kvfs_err *err)
{
	const struct kvfs_elf_file file = { .name = name };
	struct kvfs_vmcoreinfo info;
	struct kvfs_elf core;
	int ret;

	ret = kvfs_elf_load(fd, name, file.len, &core, err);
	if (ret < 0)
		return ret;
	ret = kvfs_memmap_from_core(&core, &file, 0, 0, &out->map, err);
	kvfs_elf_deinit(&core);
	if (ret < 0)
		return ret;
	info = (struct kvfs_vmcoreinfo){ .text = out->map.vmcoreinfo, .len = out->map.vmcoreinfo_len };
	if (!info.text || kvfs_vmcoreinfo_dec(&info, "SIZE(page)", &out->struct_len) < 0 ||
	    kvfs_vmcoreinfo_dec(&info, "OFFSET(page.private)", &out->private_off) < 0)
		ret = kvfs_err_set(err, ENODATA, "%s: VMCOREINFO does not describe struct page", name);
	else if (out->private_off > MAX_STRUCT_LEN)
		ret = kvfs_err_set(err, EBADMSG, "%s: page.private is not in struct page", name);
	else if (kvfs_swapcache_find_vmemmap(&out->map, out->struct_len, &out->vmemmap) < 0)
		ret = kvfs_err_set(err, ENODATA, "%s: there is no vmemmap", name);
	if (ret < 0)
		kvfs_memmap_deinit(&out->map);
	return ret;
}

static int add_key(struct kvfs_swapcache_table *table, uint64_t key)
{
	int ret;

	if (table->n == MAX_KEYS)
		return 0;
	ret = kvfs_vector_reserve(table->keys, table->cap, table->n + 1);
	if (ret < 0)
		return ret;
	table->keys[table->n++] = key;
	return 0;
}

/* Reads page.private of a page: its swap entry, if it is in the swap cache. */
static int read_private(const struct scan *scan, uint64_t pfn, uint64_t *out)
{
	const struct layout *layout = &scan->layout;
	uint64_t vaddr = layout->vmemmap + pfn * layout->struct_len + layout->private_off;

	for (size_t i = 0; i < layout->map.nr_other; i++) {
		const struct kvfs_segment *seg = &layout->map.other[i];

		if (vaddr >= seg->vaddr && vaddr - seg->vaddr + sizeof(*out) <= seg->len)
			return kvfs_io_pread_exact(scan->kcore, out, sizeof(*out),
						   seg->off + (vaddr - seg->vaddr));
	}
	return -ENXIO;
}

static int add_page(struct scan *scan, uint64_t pfn, uint64_t flags)
{
	uint64_t entry;
	int ret;

	if (flags & KPF_COMPOUND_TAIL) {
		/* Since Linux 6.6 only the head of a compound page has a swap entry. */
		if (!scan->has_head)
			return 0;
		entry = scan->head_entry + (pfn - scan->head_pfn);
	} else {
		ret = read_private(scan, pfn, &entry);
		/* The memory has been removed since its layout was read. */
		if (ret == -ENXIO || ret == -ENODATA)
			return 0;
		if (ret < 0)
			return ret;
		scan->head_pfn = pfn;
		scan->head_entry = entry;
		scan->has_head = true;
	}
	if (!(flags & KPF_UPTODATE))
		return 0;
	return add_key(scan->table, key_of(entry >> SWP_OFFSET_BITS,
					   entry & ((UINT64_C(1) << SWP_OFFSET_BITS) - 1)));
}

static int scan_range(struct scan *scan, uint64_t pfn, uint64_t end)
{
	while (pfn < end) {
		size_t n = end - pfn < NR_WORDS ? (size_t)(end - pfn) : NR_WORDS;
		ssize_t got = kvfs_io_pread(scan->kpageflags, scan->words, n * 8, pfn * 8);

		if (got <= 0)
			return (int)got;	/* 0: past the last page of the machine */
		n = (size_t)got / 8;
		for (size_t i = 0; i < n; i++) {
			int ret;

			if (!(scan->words[i] & KPF_COMPOUND_TAIL))
				scan->has_head = false;
			if (!(scan->words[i] & KPF_SWAPCACHE))
				continue;
			ret = add_page(scan, pfn + i, scan->words[i]);
			if (ret < 0)
				return ret;
		}
		if (n == 0)
			return -EBADMSG;
		pfn += n;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int fill_table(struct kvfs_swapcache *cache, struct kvfs_swapcache_table *table)
{
	_cleanup_free_ struct scan *scan = calloc(1, sizeof(*scan));
	_cleanup_close_ int kcore = -1, kpageflags = -1;
	int ret;

	if (!scan)
		return -ENOMEM;
	kcore = open(cache->kcore, O_RDONLY | O_CLOEXEC);
	if (kcore < 0)
		return -errno;
	kpageflags = open(cache->kpageflags, O_RDONLY | O_CLOEXEC);
	if (kpageflags < 0)
		return -errno;
	/* The layout is read for each table, because memory may be added and removed. */
	ret = load_layout(kcore, cache->kcore, &scan->layout, NULL);
	if (ret < 0)
		return ret;
	scan->table = table;
	scan->kcore = kcore;
	scan->kpageflags = kpageflags;
	for (size_t i = 0; i < scan->layout.map.nr_ram && ret == 0; i++) {
		uint64_t first = scan->layout.map.ram[i].paddr / PAGE_LEN;

		ret = scan_range(scan, first, first + scan->layout.map.ram[i].len / PAGE_LEN);
	}
	kvfs_memmap_deinit(&scan->layout.map);
	if (ret == 0 && table->n)
		qsort(table->keys, table->n, sizeof(table->keys[0]), compare);
	return ret;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void free_table(struct kvfs_swapcache_table *table)
{
	free(table->keys);
	free(table);
}

static int make_table(struct kvfs_swapcache *cache, struct kvfs_swapcache_table **out)
{
	struct kvfs_swapcache_table *table = calloc(1, sizeof(*table));
	uint64_t start = now_ns(), end, keep;
	int ret;

	if (!table)
		return -ENOMEM;
	table->refs = 1;
	ret = fill_table(cache, table);
	if (ret < 0) {
		free_table(table);
		return ret;
	}
	end = now_ns();
	keep = (end - start) * KEEP_TIMES;
	table->good_until_ns = end + (keep > KEEP_NS ? keep : KEEP_NS);
	*out = table;
	return 0;
}

int kvfs_swapcache_create(const struct kvfs_swapcache_config *config, struct kvfs_swapcache **out,
			  struct kvfs_err *err)
{
	_cleanup_close_ int fd = open(config->kcore, O_RDONLY | O_CLOEXEC);
	struct kvfs_swapcache *cache;
	struct layout layout;
	int ret;

	if (fd < 0)
		return kvfs_err_sys(err, errno, "cannot open %s", config->kcore);
	if (sysconf(_SC_PAGESIZE) != (long)PAGE_LEN)
		return kvfs_err_set(err, EOPNOTSUPP, "pages of another size than 4 KiB");
	ret = load_layout(fd, config->kcore, &layout, err);
	if (ret < 0)
		return ret;
	kvfs_memmap_deinit(&layout.map);
	cache = calloc(1, sizeof(*cache));
	if (!cache)
		return kvfs_err_sys(err, ENOMEM, "the swap cache");
	cache->kcore = config->kcore;
	cache->kpageflags = config->kpageflags;
	pthread_mutex_init(&cache->lock, NULL);
	pthread_cond_init(&cache->made, NULL);
	*out = cache;
	return 0;
}

void kvfs_swapcache_destroy(struct kvfs_swapcache *cache)
{
	if (!cache)
		return;
	kvfs_swapcache_put(cache, cache->latest);
	pthread_cond_destroy(&cache->made);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

int kvfs_swapcache_get(struct kvfs_swapcache *cache, struct kvfs_swapcache_table **out)
{
	struct kvfs_swapcache_table *table, *old = NULL;
	int ret;

	pthread_mutex_lock(&cache->lock);
	while (cache->making)
		pthread_cond_wait(&cache->made, &cache->lock);
	table = cache->latest;
	if (table && now_ns() < table->good_until_ns) {
		table->refs++;
		pthread_mutex_unlock(&cache->lock);
		*out = table;
		return 0;
	}
	cache->making = true;
	pthread_mutex_unlock(&cache->lock);
	ret = make_table(cache, &table);
	pthread_mutex_lock(&cache->lock);
	if (ret == 0) {
		old = cache->latest;
		cache->latest = table;
		table->refs++;
		*out = table;
	}
	cache->making = false;
	pthread_cond_broadcast(&cache->made);
	pthread_mutex_unlock(&cache->lock);
	kvfs_swapcache_put(cache, old);
	return ret;
}

void kvfs_swapcache_put(struct kvfs_swapcache *cache, struct kvfs_swapcache_table *table)
{
	bool last;

	if (!table)
		return;
	pthread_mutex_lock(&cache->lock);
	last = --table->refs == 0;
	pthread_mutex_unlock(&cache->lock);
	if (last)
		free_table(table);
}

bool kvfs_swapcache_has(const struct kvfs_swapcache_table *table, uint64_t entry)
{
	uint64_t key = key_of(entry & ((1 << ENTRY_TYPE_BITS) - 1), entry >> ENTRY_TYPE_BITS);

	return table && table->n &&
	       bsearch(&key, table->keys, table->n, sizeof(table->keys[0]), compare);
}
