/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the running kernel's memory is: the ranges of System RAM and the kernel image, with
 * their physical addresses, their virtual addresses, and their places in /proc/kcore. Read
 * from /proc/kcore's own headers, which already agree with KASLR; without /proc/kcore from
 * /proc/iomem, /proc/kallsyms and what the module says of the address space.
 */
#ifndef KVFS_KERNEL_MEMMAP_H
#define KVFS_KERNEL_MEMMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "elf/core.h"
#include "kview.h"

/* off of a segment is its place in /proc/kcore, or KVFS_NO_FILE_OFF (extent.h) without one. */
struct kvfs_memmap {
	struct kvfs_segment *ram;	/* by ascending paddr, page-aligned, not overlapping, paddr and vaddr known */
	size_t nr_ram;
	struct kvfs_segment image;	/* from _text to _end; len 0 if not known */
	struct kvfs_segment *other;	/* by ascending vaddr: those without a physical address (vmalloc, vmemmap) */
	size_t nr_other;
	char *vmcoreinfo;		/* text, NUL-terminated; NULL if none was found */
	size_t vmcoreinfo_len;
};

/*
 * From an ELF core that is /proc/kcore or looks like it. fd is borrowed, name is for
 * messages, file_len as in kvfs_elf_load().
 *
 * Only RAM and the image have a p_paddr in /proc/kcore, all others -1 (since Linux 4.12). RAM
 * is what has the direct map's distance from virtual to physical addresses; the image is the
 * one segment that has another. If [image_start, image_end) is not {0, 0} (_text and _end of
 * /proc/kallsyms) the image must hold that range of virtual addresses and is cut to it.
 *
 * Segments that contradict each other or the symbols are -EBADMSG: a lying file must not
 * become a lying view. -ENODATA if the file ends before a segment does, -ENOEXEC for another
 * machine's core, -EINVAL for an image that ends before it starts. Other errors are those of
 * kvfs_elf_load(). A core without RAM or without an image is no error.
 */
int kvfs_memmap_load_kcore(int fd, const char *name, uint64_t file_len,
			   uint64_t image_start, uint64_t image_end,
			   struct kvfs_memmap *out, struct kvfs_err *err);

/*
 * From /proc/iomem (path) and the module's info; the image from its virtual range, or where
 * that is {0, 0} (kernels without _end among their symbols) from "Kernel code" to "Kernel
 * bss", and info->image_delta. There is no VMCOREINFO in it. Returns 0, -ENODATA without any System
 * RAM, -EBADMSG if RAM and direct map contradict each other, -EINVAL for an image that ends
 * before it starts, or the errors of kvfs_iomem_load().
 */
int kvfs_memmap_load_iomem(const char *path, const struct kview_info *info,
			   uint64_t image_start, uint64_t image_end,
			   struct kvfs_memmap *out, struct kvfs_err *err);

/* Frees what load made. A zeroed struct and NULL are allowed. */
void kvfs_memmap_deinit(struct kvfs_memmap *map);

#endif /* KVFS_KERNEL_MEMMAP_H */
