/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ELF cores, read: the headers of /proc/kcore (or a file in its place) become a list of
 * segments. The only file that knows libelf. Nothing that is read is trusted: every offset,
 * count and size is checked, and what is wrong is named. Cores are written by elfhead.h.
 */
#ifndef KVFS_ELF_PARSE_H
#define KVFS_ELF_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* p_paddr of a segment whose physical address is not known (/proc/kcore: vmalloc, vmemmap). */
#define KVFS_NO_PADDR UINT64_MAX

/* A PT_LOAD. */
struct kvfs_segment {
	uint64_t off;		/* p_offset: of the first byte in the file */
	uint64_t len;		/* bytes in the file: p_filesz */
	uint64_t memsz;		/* bytes in memory: p_memsz; what exceeds len is zeros */
	uint64_t vaddr;		/* p_vaddr */
	uint64_t paddr;		/* p_paddr, or KVFS_NO_PADDR */
};

/* What a segment claimed that reaches beyond the end of the file. */
struct kvfs_elf_cut {
	size_t index;		/* of its program header, from 0, as readelf counts */
	uint64_t off;		/* p_offset */
	uint64_t len;		/* p_filesz */
};

struct kvfs_elf {
	struct kvfs_segment *segs;	/* never NULL; in the order of the file, without empty ones */
	size_t nr_segs;
	char *vmcoreinfo;		/* the VMCOREINFO note as text, NUL-terminated; NULL if none */
	size_t vmcoreinfo_len;		/* without the NUL */
	char *notes;			/* the note segments, one behind another; NULL if none */
	size_t notes_len;		/* bytes */
	uint16_t machine;		/* e_machine */
	uint8_t elfclass;		/* ELFCLASS32 or ELFCLASS64 */
	size_t nr_cut;			/* segments that were cut, since the file is too short */
	struct kvfs_elf_cut first_cut;	/* valid if nr_cut is not 0 */
};

/* Most bytes of program headers, and of note segments, that are read. */
#define KVFS_ELF_HEAD_MAX (16 * 1024 * 1024)

/*
 * Reads the program headers and the notes of an ELF core, 64-bit, 32-bit, and
 * with more than 65,534 segments (PN_XNUM). fd is borrowed; name is used in messages only.
 * file_len is the length of the file, or 0 where it is not known (a proc file): a segment
 * that claims bytes beyond it is cut to what is there (len < memsz) and counted in nr_cut.
 * Messages number segments by their program header. Returns 0, or -errno with a message:
 * -ENOEXEC not an ELF core of this byte order, -EBADMSG one whose headers contradict
 * themselves, -ENODATA one that ends inside its headers or notes, -EOPNOTSUPP a libelf that
 * is too old, -ENOMEM, or the errno of read(2). On failure *out is as it was.
 */
int kvfs_elf_load(int fd, const char *name, uint64_t file_len,
		  struct kvfs_elf *out, struct kvfs_err *err);

/* e_machine of this machine's own programs. */
uint16_t kvfs_elf_native_machine(void);

/* Frees what load made. A zeroed struct and NULL are allowed. */
void kvfs_elf_deinit(struct kvfs_elf *core);

#endif /* KVFS_ELF_PARSE_H */
