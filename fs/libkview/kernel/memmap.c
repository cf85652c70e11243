// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/memmap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "extent/extent.h"

/* A half-open range of virtual addresses; {0, 0} if not known. */
struct vrange {
	uint64_t start;
	uint64_t end;
};

static bool is_known(struct vrange r)
{
	return r.start || r.end;
}

/*
 * Distance from physical to virtual addresses. It identifies a mapping of physical memory: the
 * direct map has one distance, the mapping of the kernel image another.
 */
static uint64_t delta_of(const struct kvfs_segment *s)
{
	return s->vaddr - s->paddr;
}

static int cmp_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int cmp_delta_paddr(const void *a, const void *b)
{
	const struct kvfs_segment *x = a, *y = b;
	int ret = cmp_u64(delta_of(x), delta_of(y));

	return ret ? ret : cmp_u64(x->paddr, y->paddr);
}

static int cmp_off(const void *a, const void *b)
{
	const struct kvfs_segment *x = a, *y = b;

	return cmp_u64(x->off, y->off);
}

static void *copy_segs(const struct kvfs_segment *segs, size_t n)
{
	struct kvfs_segment *copy = calloc(n ? n : 1, sizeof(*copy));

	if (copy && n)
		memcpy(copy, segs, n * sizeof(*copy));
	return copy;
}

static int cmp_no_paddr(const void *a, const void *b)
{
	const struct kvfs_segment *x = a, *y = b;
	int ret = (x->paddr == KVFS_NO_PADDR) - (y->paddr == KVFS_NO_PADDR);

	return ret ? ret : cmp_u64(x->vaddr, y->vaddr);
}

/* Moves the segments with physical addresses to the front. Returns their number. */
static size_t partition(struct kvfs_segment *segs, size_t n)
{
	size_t known = 0;

	qsort(segs, n, sizeof(*segs), cmp_no_paddr);
	while (known < n && segs[known].paddr != KVFS_NO_PADDR)
		known++;
	return known;
}

/*
 * Finds the direct map among segments in the order of cmp_delta_paddr(): the segments of the
 * distance that has the most bytes, since the image lies within RAM and is shorter. Of equals it
 * is the first, which has the lower addresses. *first is the index of its first segment.
 * Returns the number of its segments.
 */
static size_t find_direct_map(const struct kvfs_segment *segs, size_t n, size_t *first)
{
	uint64_t best_len = 0;
	size_t best_n = 0;

	for (size_t i = 0, next; i < n; i = next) {
		uint64_t len = 0;

		for (next = i; next < n && delta_of(&segs[next]) == delta_of(&segs[i]); next++)
			if (!kvfs_add_u64(len, segs[next].len, &len))
				len = UINT64_MAX;
		if (best_n && len <= best_len)
			continue;
		best_len = len;
		best_n = next - i;
		*first = i;
	}
	return best_n;
}

static uint64_t paddr_end(const struct kvfs_segment *s)
{
	return s->paddr + s->len;
}

/* Checks RAM, which is sorted by physical address: whole pages, no overlaps. */
static int check_ram(const char *name, const struct kvfs_segment *ram, size_t n,
		     struct kvfs_err *err)
{
	uint64_t page_mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;

	for (size_t i = 0; i < n; i++) {
		if ((ram[i].paddr | ram[i].vaddr | ram[i].len) & page_mask)
			return kvfs_err_set(err, EBADMSG, "%s: RAM 0x%" PRIx64 "-0x%" PRIx64 " (virtual 0x%"
					    PRIx64 ") does not consist of whole pages", name,
					    ram[i].paddr, paddr_end(&ram[i]) - 1, ram[i].vaddr);
		if (i && ram[i].paddr < paddr_end(&ram[i - 1]))
			return kvfs_err_set(err, EBADMSG, "%s: RAM 0x%" PRIx64 "-0x%" PRIx64
					    " and 0x%" PRIx64 "-0x%" PRIx64 " overlap", name,
					    ram[i - 1].paddr, paddr_end(&ram[i - 1]) - 1,
					    ram[i].paddr, paddr_end(&ram[i]) - 1);
	}
	return 0;
}

/* Checks that no two ranges of memory share bytes of the file. */
static int check_file_ranges(const char *name, const struct kvfs_segment *ram, size_t n,
			     struct kvfs_err *err)
{
	_cleanup_free_ struct kvfs_segment *by_off = copy_segs(ram, n);

	if (!by_off)
		return kvfs_err_sys(err, ENOMEM, "cannot check the segments of %s", name);
	qsort(by_off, n, sizeof(*by_off), cmp_off);
	for (size_t i = 1; i < n; i++)
		if (by_off[i].off < by_off[i - 1].off + by_off[i - 1].len)
			return kvfs_err_set(err, EBADMSG, "%s: RAM at 0x%" PRIx64 " and at 0x%" PRIx64
					    " share the byte of the file at 0x%" PRIx64, name,
					    by_off[i - 1].paddr, by_off[i].paddr, by_off[i].off);
	return 0;
}

/* Joins segments that are adjacent in memory and in the file (or in no file). Returns their number. */
static size_t merge_ram(struct kvfs_segment *ram, size_t n)
{
	size_t last = 0;

	if (!n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		struct kvfs_segment *prev = &ram[last];
		bool no_file = prev->off == KVFS_NO_FILE_OFF && ram[i].off == KVFS_NO_FILE_OFF;

		if (ram[i].paddr == paddr_end(prev) &&
		    (no_file || ram[i].off == prev->off + prev->len)) {
			prev->len += ram[i].len;
			prev->memsz = prev->len;
		} else {
			ram[++last] = ram[i];
		}
	}
	return last + 1;
}

static bool contains(const struct kvfs_segment *s, struct vrange r)
{
	return r.start >= s->vaddr && r.start - s->vaddr < s->len &&
	       r.end - r.start <= s->len - (r.start - s->vaddr);
}

static void cut_to(struct kvfs_segment *s, struct vrange r)
{
	uint64_t skip = r.start - s->vaddr;

	s->vaddr += skip;
	s->paddr += skip;
	if (s->off != KVFS_NO_FILE_OFF)
		s->off += skip;
	s->len = r.end - r.start;
	s->memsz = s->len;
}

/*
 * Finds the image among the n segments with a physical address, of which nr_ram from first on
 * are the direct map's.
 */
static int find_image(const char *name, const struct kvfs_segment *segs, size_t n, size_t first,
		      size_t nr_ram, struct vrange range, struct kvfs_segment *image,
		      struct kvfs_err *err)
{
	const struct kvfs_segment *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct kvfs_segment *s = &segs[i];

		if (i >= first && i < first + nr_ram)
			continue;
		if (found)
			return kvfs_err_set(err, EBADMSG, "%s: segments at the virtual addresses 0x%" PRIx64
					    " and 0x%" PRIx64 " both have physical addresses that are not "
					    "the direct map's", name, found->vaddr, s->vaddr);
		found = s;
	}
	if (is_known(range) && (!found || !contains(found, range)))
		return kvfs_err_set(err, EBADMSG, "%s has no segment for the kernel image, which the symbols "
				    "put at 0x%" PRIx64 "-0x%" PRIx64, name, range.start, range.end - 1);
	if (!found)
		return 0;
	*image = *found;
	image->memsz = image->len;
	if (is_known(range))
		cut_to(image, range);
	return 0;
}

/* Fills in the map, VMCOREINFO excepted. The caller deinits it, on failure too. */
static int split(const char *name, struct kvfs_segment *segs, size_t n, struct vrange range,
		 struct kvfs_memmap *map, struct kvfs_err *err)
{
	size_t known = partition(segs, n);
	size_t first = 0;
	int ret;

	qsort(segs, known, sizeof(*segs), cmp_delta_paddr);
	map->nr_ram = find_direct_map(segs, known, &first);
	map->nr_other = n - known;
	map->ram = copy_segs(segs + first, map->nr_ram);
	map->other = copy_segs(segs + known, map->nr_other);
	if (!map->ram || !map->other)
		return kvfs_err_sys(err, ENOMEM, "cannot list the segments of %s", name);
	ret = check_ram(name, map->ram, map->nr_ram, err);
	if (!ret)
		ret = check_file_ranges(name, map->ram, map->nr_ram, err);
	if (!ret)
		ret = find_image(name, segs, known, first, map->nr_ram, range, &map->image, err);
	if (ret)
		return ret;
	map->nr_ram = merge_ram(map->ram, map->nr_ram);
	return 0;
}

/* Leaves out segments without bytes in the file, and the part of others that exceeds these bytes. */
static size_t drop_empty(struct kvfs_segment *segs, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (!segs[i].len)
			continue;
		segs[kept] = segs[i];
		segs[kept].memsz = segs[kept].len;
		kept++;
	}
	return kept;
}

/* Checks that the core can be one of this machine's memory. */
static int check_core(const struct kvfs_elf_file *file, const struct kvfs_elf *core,
		      struct kvfs_err *err)
{
	const struct kvfs_elf_cut *cut = &core->first_cut;

	if (core->machine != kvfs_elf_native_machine())
		return kvfs_err_set(err, ENOEXEC, "%s is of another machine (e_machine is %u, here it is %u)",
				    file->name, core->machine, kvfs_elf_native_machine());
	if (core->nr_cut)
		return kvfs_err_set(err, ENODATA, "%s is truncated: segment %zu claims bytes 0x%" PRIx64
				    "-0x%" PRIx64 " but the file ends at 0x%" PRIx64, file->name,
				    cut->index, cut->off, cut->off + cut->len - 1, file->len);
	return 0;
}

static int check_range(struct vrange range, struct kvfs_err *err)
{
	if (is_known(range) && range.start >= range.end)
		return kvfs_err_set(err, EINVAL, "the kernel image cannot be 0x%" PRIx64 "-0x%" PRIx64,
				    range.start, range.end);
	return 0;
}

int kvfs_memmap_from_core(struct kvfs_elf *core, const struct kvfs_elf_file *file,
			  uint64_t image_start, uint64_t image_end, struct kvfs_memmap *out,
			  struct kvfs_err *err)
{
	struct vrange range = { image_start, image_end };
	struct kvfs_memmap map = { 0 };
	int ret;

	ret = check_range(range, err);
	if (ret == 0)
		ret = check_core(file, core, err);
	if (ret < 0)
		return ret;
	core->nr_segs = drop_empty(core->segs, core->nr_segs);
	ret = split(file->name, core->segs, core->nr_segs, range, &map, err);
	if (ret < 0) {
		kvfs_memmap_deinit(&map);
		return ret;
	}
	map.vmcoreinfo = kvfs_steal_ptr(core->vmcoreinfo);
	map.vmcoreinfo_len = core->vmcoreinfo_len;
	*out = map;
	return 0;
}

static int ram_of_iomem(const struct kvfs_iomem *iomem, uint64_t direct_map,
			struct kvfs_memmap *map, struct kvfs_err *err)
{
	map->ram = calloc(iomem->nr_ram, sizeof(*map->ram));
	if (!map->ram)
		return kvfs_err_sys(err, ENOMEM, "cannot list the ranges of RAM");
	for (size_t i = 0; i < iomem->nr_ram; i++) {
		const struct kvfs_range *r = &iomem->ram[i];
		uint64_t vend;

		if (!kvfs_add_u64(direct_map, r->end - 1, &vend))
			return kvfs_err_set(err, EBADMSG, "RAM 0x%" PRIx64 "-0x%" PRIx64 " does not fit after "
					    "the start of the direct map at 0x%" PRIx64, r->start,
					    r->end - 1, direct_map);
		map->ram[map->nr_ram++] = (struct kvfs_segment){
			.off = KVFS_NO_FILE_OFF,
			.len = r->end - r->start,
			.memsz = r->end - r->start,
			.paddr = r->start,
			.vaddr = direct_map + r->start,
		};
	}
	map->nr_ram = merge_ram(map->ram, map->nr_ram);
	return 0;
}

int kvfs_memmap_from_iomem(const struct kvfs_iomem *iomem, const char *name,
			   const struct kview_info *info, uint64_t image_start, uint64_t image_end,
			   struct kvfs_memmap *out, struct kvfs_err *err)
{
	struct vrange range = { image_start, image_end };
	struct kvfs_memmap map = { 0 };
	int ret;

	ret = check_range(range, err);
	if (ret < 0)
		return ret;
	if (!iomem->nr_ram)
		return kvfs_err_set(err, ENODATA, "%s lists no System RAM", name);
	ret = ram_of_iomem(iomem, info->direct_map, &map, err);
	if (ret < 0) {
		kvfs_memmap_deinit(&map);
		return ret;
	}
	if (!is_known(range) && iomem->kernel.end)
		range = (struct vrange){ iomem->kernel.start + info->image_delta,
					 iomem->kernel.end + info->image_delta };
	if (is_known(range))
		map.image = (struct kvfs_segment){
			.off = KVFS_NO_FILE_OFF,
			.len = range.end - range.start,
			.memsz = range.end - range.start,
			.paddr = range.start - info->image_delta,
			.vaddr = range.start,
		};
	*out = map;
	return 0;
}

void kvfs_memmap_deinit(struct kvfs_memmap *map)
{
	if (!map)
		return;
	free(map->ram);
	free(map->other);
	free(map->vmcoreinfo);
	*map = (struct kvfs_memmap){ 0 };
}
