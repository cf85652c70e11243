/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kdump-compressed dumps. The space is physical memory; core is an ELF header built around the
 * pages, with a segment for each run of RAM, as /proc/vmcore had when it was saved, and one for the
 * kernel image if its page tables tell where that was.
 *
 * How a page is read: chunkcache caches 64 KiB of them; kdump_set finds the page in its file;
 * kdump_pages reads what is stored uncompressed or by zstd, kdump_lib the rest.
 */
#ifndef KVFS_DUMP_KDUMP_H
#define KVFS_DUMP_KDUMP_H

#include "dump/format.h"

/* open: the errors of kvfs_kdump_set_load(), kvfs_kdump_lib_open() and kvfs_kdump_elf_make(). */
extern const struct kvfs_dump_format kvfs_dump_kdump;

#endif /* KVFS_DUMP_KDUMP_H */
