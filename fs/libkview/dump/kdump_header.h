/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The headers of a kdump-compressed dump (makedumpfile without -E, QEMU's dump-guest-memory -z, -l
 * and -s; makedumpfile's diskdump_mod.h has the format): where its tables are. Every offset and
 * length is checked here, before it is used. Pure, but for reading the headers.
 */
#ifndef KVFS_DUMP_KDUMP_HEADER_H
#define KVFS_DUMP_KDUMP_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Bytes at the start of a file that tell its format. */
#define KVFS_KDUMP_HEADER_MAGIC "KDUMP   "
#define KVFS_KDUMP_HEADER_MAGIC_LEN 8

/* A page frame number that is above all others. */
#define KVFS_PFN_MAX UINT64_MAX

struct kvfs_kdump_header {
	char machine[65];	/* uname -m of the crashed kernel */
	char release[65];	/* uname -r */
	uint32_t page_size;	/* bytes; the block size of the file, too */
	uint64_t nr_pfns;	/* page frame numbers are below it */
	bool incomplete;	/* makedumpfile ran out of room */
	bool split;		/* one of a set, with the pages [start_pfn, end_pfn) */
	uint64_t start_pfn;	/* 0 if not split */
	uint64_t end_pfn;	/* KVFS_PFN_MAX if not split */
	uint64_t ram_map_off;	/* bitmap of the pages that exist; a bit a page, low bits first */
	uint64_t dumped_map_off;	/* bitmap of the pages in the file (of the set, if split) */
	uint64_t map_len;	/* bytes of each bitmap; at least nr_pfns / 8 */
	uint64_t descs_off;	/* a struct kvfs_kdump_desc for each page of this file, ascending */
	uint64_t notes_off, notes_len;		/* ELF notes; 0, 0 if there are none */
	uint64_t vmcoreinfo_off, vmcoreinfo_len;	/* its text; 0, 0 if there is none */
};

/* Most bytes of notes, and of VMCOREINFO, that a header may claim. */
#define KVFS_KDUMP_HEADER_NOTES_MAX (16 * 1024 * 1024)

/*
 * Reads and checks the headers of fd, which is borrowed and file_len bytes long. name is for
 * messages. Returns 0, or -errno with a message: -ENOEXEC not this format, or a dump of a 32-bit or
 * big-endian machine; -EBADMSG the headers contradict themselves; -ENODATA the file ends before its
 * page descriptors begin; or the -errno of pread(2).
 */
int kvfs_kdump_header_load(int fd, const char *name, uint64_t file_len, struct kvfs_kdump_header *out,
			   struct kvfs_err *err);

/* Where a page is in the file, as the file has it: little-endian. */
struct kvfs_kdump_desc {
	uint64_t off;		/* of its bytes */
	uint32_t len;		/* bytes, compressed if flags says so */
	uint32_t flags;		/* KVFS_KDUMP_DESC_* */
	uint64_t page_flags;	/* not used */
};

#define KVFS_KDUMP_DESC_ZLIB (1U << 0)
#define KVFS_KDUMP_DESC_LZO (1U << 1)
#define KVFS_KDUMP_DESC_SNAPPY (1U << 2)
#define KVFS_KDUMP_DESC_ZSTD (1U << 5)
#define KVFS_KDUMP_DESC_METHODS \
	(KVFS_KDUMP_DESC_ZLIB | KVFS_KDUMP_DESC_LZO | KVFS_KDUMP_DESC_SNAPPY | KVFS_KDUMP_DESC_ZSTD)

/*
 * Checks the descriptor of a page: it has page_size bytes, or at most that if one known method
 * compressed them, and they are in the file. Returns 0, -EBADMSG if not, or -ENODATA if only the file
 * is too short.
 */
int kvfs_kdump_desc_check(const struct kvfs_kdump_desc *desc, uint32_t page_size,
			  uint64_t file_len);

#endif /* KVFS_DUMP_KDUMP_HEADER_H */
