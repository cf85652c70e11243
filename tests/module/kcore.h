/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/kcore, to compare with. One reader, one thread: the kernel's own rule. */
#ifndef KCORE_H
#define KCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct kcore_segment - a PT_LOAD of /proc/kcore, lengths in bytes */
struct kcore_segment {
	uint64_t vaddr;
	uint64_t paddr;		/* UINT64_MAX if it has none */
	uint64_t len;
	uint64_t off;
};

/** kcore_open - read the headers; bails out if there is no /proc/kcore */
void kcore_open(void);

/** kcore_image - the segment of the kernel image: vaddr is _text, to _end */
struct kcore_segment kcore_image(void);

/** kcore_read_paddr - read RAM by physical address; returns whether all of it was there */
bool kcore_read_paddr(void *to, size_t len, uint64_t paddr);

/** kcore_read_vaddr - the same by kernel virtual address */
bool kcore_read_vaddr(void *to, size_t len, uint64_t vaddr);

#endif /* KCORE_H */
