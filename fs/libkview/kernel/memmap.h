/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the running kernel's memory is: the ranges of System RAM and the kernel image, with
 * their physical addresses, their virtual addresses, and their places in /proc/kcore. It is
 * made of the headers of /proc/kcore, which agree with KASLR, or without /proc/kcore of
 * /proc/iomem, the addresses of two symbols, and the module's info. Pure.
 */
#ifndef KVFS_KERNEL_MEMMAP_H
#define KVFS_KERNEL_MEMMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "elf/core.h"
#include "kernel/iomem.h"
#include "kview.h"

/* off of a segment is its place in /proc/kcore, or KVFS_NO_FILE_OFF (extent.h) without one. */
struct kvfs_memmap {
	struct kvfs_segment *ram;	/* by ascending paddr, page-aligned, not overlapping, paddr and vaddr known */
	size_t nr_ram;
	struct kvfs_segment image;	/* from _text to _end; len 0 if not known */
	struct kvfs_segment *other;	/* by ascending vaddr: without a physical address (vmalloc, vmemmap) */
	size_t nr_other;
	char *vmcoreinfo;		/* text, NUL-terminated; NULL if none was found */
	size_t vmcoreinfo_len;
};

/*
 * Makes a map of the headers of /proc/kcore, or of a core that looks like it (elf/load.h). Takes
 * VMCOREINFO out of *core, whose segments are in no order afterwards; the caller deinits it.
 * *file is the core's.
 *
 * Only RAM and the image have a p_paddr in /proc/kcore, all others -1 (since Linux 4.12). RAM
 * is what has the direct map's distance from virtual to physical addresses; the image is the
 * one segment that has another. If [image_start, image_end) is not {0, 0} (_text and _end of
 * /proc/kallsyms) the image must hold that range of virtual addresses and is cut to it.
 *
 * Returns 0, also without RAM or without an image, or -errno with a message: -EBADMSG for
 * segments that contradict each other or the symbols, -ENODATA if the file ends before a
 * segment does, -ENOEXEC for another machine's core, -EINVAL for an image that ends before it
 * starts, -ENOMEM.
 */
int kvfs_memmap_from_core(struct kvfs_elf *core, const struct kvfs_elf_file *file,
			  uint64_t image_start, uint64_t image_end, struct kvfs_memmap *out,
			  struct kvfs_err *err);

/*
 * Makes a map of the ranges of /proc/iomem and the module's info. The image is at its virtual
 * range, or where that is {0, 0} (kernels without _end among their symbols) from "Kernel code"
 * to "Kernel bss"; info->image_delta gives its physical addresses. There is no VMCOREINFO in it.
 * name is for messages. Returns 0, -ENODATA without any System RAM, -EBADMSG if RAM and direct
 * map contradict each other, -EINVAL for an image that ends before it starts, or -ENOMEM.
 */
int kvfs_memmap_from_iomem(const struct kvfs_iomem *iomem, const char *name,
			   const struct kview_info *info, uint64_t image_start, uint64_t image_end,
			   struct kvfs_memmap *out, struct kvfs_err *err);

/* Frees what the map holds. A zeroed struct and NULL are allowed. */
void kvfs_memmap_deinit(struct kvfs_memmap *map);

#endif /* KVFS_KERNEL_MEMMAP_H */
