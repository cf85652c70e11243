// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "elf/build.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/* Where the parts of kcore/core begin (see the table in the header). */
#define CORE_IMAGE_OFF (2 * MIB)
#define CORE_RAM_OFF GIB

/* Adds an extent; on failure says which and empties the table. */
static int add(struct kvfs_extents *t, const char *what, const struct kvfs_extent *e,
	       struct kvfs_err *err)
{
	int ret = kvfs_extents_add(t, e);

	if (!ret)
		return 0;
	kvfs_extents_deinit(t);
	return kvfs_err_sys(err, -ret, "%s: 0x%" PRIx64 " bytes at physical address 0x%" PRIx64
			    " have no place at offset 0x%" PRIx64, what, e->len, e->paddr, e->off);
}

/* An extent of RAM at off in a view; vaddr is 0 but in the image's mapping. */
static struct kvfs_extent ram_extent(const struct kvfs_segment *s, uint64_t off, uint64_t vaddr)
{
	return (struct kvfs_extent){
		.off = off,
		.len = s->len,
		.kind = KVFS_EXTENT_RAM,
		.paddr = s->paddr,
		.vaddr = vaddr,
		.file_off = s->off,
	};
}

int kvfs_kcore_layout_ram(const struct kvfs_memmap *map, struct kvfs_extents *out,
			  struct kvfs_err *err)
{
	struct kvfs_extents t = { 0 };

	if (!map->nr_ram)
		return kvfs_err_set(err, ENODATA, "no System RAM is known");
	for (size_t i = 0; i < map->nr_ram; i++) {
		struct kvfs_extent e = ram_extent(&map->ram[i], map->ram[i].paddr, 0);
		int ret = add(&t, "ram", &e, err);

		if (ret)
			return ret;
	}
	*out = t;
	return 0;
}

int kvfs_kcore_layout_text(const struct kvfs_memmap *map, struct kvfs_extents *out,
			   struct kvfs_err *err)
{
	struct kvfs_extent e = ram_extent(&map->image, 0, map->image.vaddr);
	struct kvfs_extents t = { 0 };
	int ret;

	if (!map->image.len)
		return kvfs_err_set(err, ENODATA, "the place of the kernel image is not known");
	ret = add(&t, "text", &e, err);
	if (!ret)
		*out = t;
	return ret;
}

/* Lists the segments of kcore/core with their offsets in it, *nr of them. */
static int place_segments(const struct kvfs_memmap *map, struct kvfs_segment *segs, size_t *nr,
			  struct kvfs_err *err)
{
	size_t n = 0;

	if (map->image.len) {
		segs[n] = map->image;
		segs[n].off = CORE_IMAGE_OFF + map->image.paddr % CORE_IMAGE_OFF;
		if (map->image.len > CORE_RAM_OFF - segs[n].off)
			return kvfs_err_set(err, EFBIG, "core: the kernel image of 0x%" PRIx64
					    " bytes does not fit before offset 0x%llx",
					    map->image.len, CORE_RAM_OFF);
		n++;
	}
	for (size_t i = 0; i < map->nr_ram; i++, n++) {
		segs[n] = map->ram[i];
		if (!kvfs_add_u64(CORE_RAM_OFF, map->ram[i].paddr, &segs[n].off))
			return kvfs_err_set(err, EOVERFLOW, "core: RAM at 0x%" PRIx64 " is too far out",
					    map->ram[i].paddr);
	}
	*nr = n;
	return 0;
}

static int build_head(const struct kvfs_memmap *map, const struct kvfs_segment *segs, size_t n,
		      void **head, struct kvfs_err *err)
{
	const struct kvfs_elf_new_note note = {
		.name = "VMCOREINFO",
		.name_len = strlen("VMCOREINFO"),
		.desc = map->vmcoreinfo,
		.desc_len = map->vmcoreinfo_len,
	};
	int ret = kvfs_elf_build(segs, n, &note, map->vmcoreinfo ? 1 : 0, KVFS_CORE_HEAD_LEN,
				 head);

	if (ret == -EFBIG)
		return kvfs_err_set(err, EFBIG, "core: the headers of %zu segments and %zu bytes of "
				    "VMCOREINFO do not fit into %d bytes", n, map->vmcoreinfo_len,
				    KVFS_CORE_HEAD_LEN);
	if (ret)
		return kvfs_err_sys(err, -ret, "core: cannot build the headers");
	return 0;
}

/* Lists head, image and RAM; segs are those of place_segments(). */
static int add_core(const struct kvfs_memmap *map, const struct kvfs_segment *segs,
		    const void *head, struct kvfs_extents *t, struct kvfs_err *err)
{
	const struct kvfs_extent blob = {
		.len = KVFS_CORE_HEAD_LEN, .kind = KVFS_EXTENT_BLOB, .blob = head,
	};
	int ret = add(t, "core", &blob, err);

	if (!ret && map->image.len) {
		struct kvfs_extent e = ram_extent(&map->image, segs->off, map->image.vaddr);

		ret = add(t, "core", &e, err);
		segs++;
	}
	for (size_t i = 0; !ret && i < map->nr_ram; i++) {
		struct kvfs_extent e = ram_extent(&map->ram[i], segs[i].off, 0);

		ret = add(t, "core", &e, err);
	}
	return ret;
}

int kvfs_kcore_layout_core(const struct kvfs_memmap *map, struct kvfs_extents *out,
			   void **head, struct kvfs_err *err)
{
	_cleanup_free_ struct kvfs_segment *segs = calloc(map->nr_ram + 1, sizeof(*segs));
	_cleanup_free_ void *blob = NULL;
	struct kvfs_extents t = { 0 };
	size_t n = 0;
	int ret;

	if (!segs)
		return kvfs_err_sys(err, ENOMEM, "core: cannot list the segments");
	ret = place_segments(map, segs, &n, err);
	if (!ret && !n)
		ret = kvfs_err_set(err, ENODATA, "core: neither RAM nor the kernel image is known");
	if (!ret)
		ret = build_head(map, segs, n, &blob, err);
	if (!ret)
		ret = add_core(map, segs, blob, &t, err);
	if (ret)
		return ret;
	*out = t;
	*head = kvfs_steal_ptr(blob);
	return 0;
}

/* Tells whether [vaddr, vaddr + len) lies in the segment, at *skip. */
static bool find_in(const struct kvfs_segment *s, uint64_t vaddr, uint64_t len, uint64_t *skip)
{
	if (vaddr < s->vaddr || vaddr - s->vaddr >= s->len || len > s->len - (vaddr - s->vaddr))
		return false;
	*skip = vaddr - s->vaddr;
	return true;
}

int kvfs_kcore_layout_sym(const struct kvfs_memmap *map, uint64_t vaddr, uint64_t len,
			  struct kvfs_extents *out, struct kvfs_err *err)
{
	struct kvfs_extents t = { 0 };
	struct kvfs_extent e = { 0 };
	uint64_t skip;
	int ret;

	if (!len)
		return kvfs_err_set(err, EINVAL, "a symbol of no bytes");
	if (find_in(&map->image, vaddr, len, &skip)) {
		e = ram_extent(&map->image, 0, vaddr);
		e.paddr += skip;
		if (e.file_off != KVFS_NO_FILE_OFF)
			e.file_off += skip;
	} else {
		size_t i;

		for (i = 0; i < map->nr_other; i++)
			if (find_in(&map->other[i], vaddr, len, &skip))
				break;
		if (i == map->nr_other)
			return kvfs_err_set(err, ENXIO, "no segment holds the addresses 0x%" PRIx64 "-0x%"
					    PRIx64, vaddr, vaddr + (len - 1));
		e = (struct kvfs_extent){
			.kind = KVFS_EXTENT_FILE, .file_off = map->other[i].off + skip,
		};
	}
	e.len = len;
	ret = add(&t, "sym", &e, err);
	if (!ret)
		*out = t;
	return ret;
}
