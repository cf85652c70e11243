/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of the files of kcore/: turns a map of the kernel's memory into extent tables.
 * Pure. File offset and physical address are equal modulo 2 MiB everywhere, and modulo 1 GiB for
 * RAM, so that the module can map huge pages.
 *
 *   ram    file offset = physical address; ends with the highest RAM
 *   text   file offset 0 = _text; ends at _end
 *   core   [0, 32 KiB)        ELF header, program headers, notes
 *          2 MiB + ...        the kernel image (paddr modulo 2 MiB is kept)
 *          1 GiB + paddr      RAM
 *   sym    file offset 0 = the first byte of the symbol
 */
#ifndef KVFS_KCORE_LAYOUT_H
#define KVFS_KCORE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "extent/extent.h"
#include "kernel/memmap.h"

/* Headers and notes must fit in this many bytes: crash reads exactly that much of a core. */
#define KVFS_CORE_HEAD_LEN (32 * 1024)

/* Each function returns 0 and a table for the caller to deinit, or -errno with a message. */

/* -ENODATA without RAM. */
int kvfs_kcore_layout_ram(const struct kvfs_memmap *map, struct kvfs_extents *out,
			  struct kvfs_err *err);

/* -ENODATA if the place of the image is not known. */
int kvfs_kcore_layout_text(const struct kvfs_memmap *map, struct kvfs_extents *out,
			   struct kvfs_err *err);

/*
 * *head is the blob that the table borrows, KVFS_CORE_HEAD_LEN bytes: the caller frees it
 * after the table. The image is left out if it is not known, as is the VMCOREINFO. -EFBIG if
 * the headers of so many RAM ranges do not fit into the head, or the image not before RAM;
 * -ENODATA with neither image nor RAM.
 */
int kvfs_kcore_layout_core(const struct kvfs_memmap *map, struct kvfs_extents *out,
			   void **head, struct kvfs_err *err);

/*
 * [vaddr, vaddr + len), which must lie in the image (RAM extent) or in one segment without
 * physical addresses (FILE extent); -ENXIO otherwise, -EINVAL if len is 0.
 */
int kvfs_kcore_layout_sym(const struct kvfs_memmap *map, uint64_t vaddr, uint64_t len,
			  struct kvfs_extents *out, struct kvfs_err *err);

#endif /* KVFS_KCORE_LAYOUT_H */
