/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each offset of /proc/kcore stands for, by its program headers and its VMCOREINFO note.
 * It is read once and kept, as a tool keeps the headers that it read: an offset means to the
 * tool what these headers say, though memory may have been added since.
 */
#ifndef KVFS_KVIEW_EXEC_LAYOUT_H
#define KVFS_KVIEW_EXEC_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

enum kvfs_layout_kind {
	KVFS_LAYOUT_RAM,	/* the direct map: paddr is known */
	KVFS_LAYOUT_IMAGE,	/* the kernel image, by its own addresses */
	KVFS_LAYOUT_TABLES,	/* vmalloc, modules, vmemmap: what is mapped there page tables say */
};

struct kvfs_layout_segment {
	uint64_t off;		/* in /proc/kcore */
	uint64_t len;		/* bytes */
	uint64_t vaddr;
	uint64_t paddr;		/* of RAM */
	enum kvfs_layout_kind kind;
};

#define KVFS_LAYOUT_MAX 1024

struct kvfs_layout {
	struct kvfs_layout_segment v[KVFS_LAYOUT_MAX];	/* by ascending off, not overlapping */
	size_t nr;
	uint64_t root;		/* physical address of the top page table */
	unsigned int levels;	/* 4 or 5; 0 if the note does not say where the tables are */
	uint64_t enc_mask;	/* as struct kvfs_pagewalk has it */
};

/*
 * Reads the headers of fd, an open /proc/kcore, borrowed. Returns 0 or -errno: -E2BIG for more
 * segments than fit, -EBADMSG for headers that contradict themselves.
 */
int kvfs_layout_load(int fd, struct kvfs_layout *out);

/* The part of kvfs_layout_load() that does no I/O: headers of len bytes, from offset 0 on. Pure. */
int kvfs_layout_parse(const void *headers, size_t len, struct kvfs_layout *out);

/* Looks off up in all segments; see kvfs_layout_find(). */
const struct kvfs_layout_segment *kvfs_layout_search(const struct kvfs_layout *layout, uint64_t off,
						     uint64_t *skip, uint64_t *left);

/* The number of the segment of some read before: reads keep to a segment. Any value will do. */
extern unsigned int kvfs_layout_hint;

/*
 * The segment that has the byte at off; *skip is its place in the segment and *left the bytes
 * from there to the segment's end. NULL between segments: *left reaches to the next one.
 */
static inline const struct kvfs_layout_segment *kvfs_layout_find(const struct kvfs_layout *layout,
								 uint64_t off, uint64_t *skip,
								 uint64_t *left)
{
	const struct kvfs_layout_segment *s = &layout->v[__atomic_load_n(&kvfs_layout_hint, __ATOMIC_RELAXED)];

	*skip = off - s->off;
	if (__builtin_expect(*skip >= s->len, 0))
		return kvfs_layout_search(layout, off, skip, left);
	*left = s->len - *skip;
	return s;
}

#endif /* KVFS_KVIEW_EXEC_LAYOUT_H */
