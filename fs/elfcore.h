/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ELF cores, read and written: the headers of /proc/kcore (or a file in its place) become
 * a list of segments, and a list of segments becomes the head of kcore/core. The only file
 * that knows libelf. Nothing that is read is trusted: every offset, count and size is
 * checked, and what is wrong is named.
 */
#ifndef KVFS_ELFCORE_H
#define KVFS_ELFCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

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

struct kvfs_elfcore {
	struct kvfs_segment *segs;	/* in the order of the file */
	size_t nr_segs;
	char *vmcoreinfo;		/* the VMCOREINFO note as text, NUL-terminated; NULL if none */
	size_t vmcoreinfo_len;		/* without the NUL */
	uint16_t machine;		/* e_machine */
	uint8_t elfclass;		/* ELFCLASS32 or ELFCLASS64 */
};

/* Largest head of an ELF core that is read: headers and notes, bytes. */
#define KVFS_ELFCORE_HEAD_MAX (16 * 1024 * 1024)

/*
 * Reads the program headers and the VMCOREINFO note of an ELF core, 64-bit, 32-bit, and
 * with more than 65,534 segments (PN_XNUM). fd is borrowed; name is used in messages only.
 * file_len is the length of the file, or 0 where it is not known (a proc file): a segment
 * that claims bytes beyond it is cut to what is there (len < memsz).
 * Returns 0, or -errno with a message: -ENOEXEC not an ELF core, -EBADMSG one whose
 * headers contradict themselves, -ENODATA a truncated one, or that of read(2).
 */
int kvfs_elfcore_load(int fd, const char *name, uint64_t file_len,
		      struct kvfs_elfcore *out, struct kvfs_err *err);

/* Frees what load made. A zeroed struct and NULL are allowed. */
void kvfs_elfcore_deinit(struct kvfs_elfcore *core);

/* One note to be written. */
struct kvfs_elfcore_note {
	const char *name;	/* without the final NUL counted by n_namesz */
	uint32_t type;
	const void *desc;
	size_t desc_len;	/* bytes */
};

/*
 * Builds the head of an ELF64 core for this machine: ELF header, one PT_NOTE, a PT_LOAD
 * for each segment, the notes; zero-padded to head_len bytes. Segments keep their p_offset.
 * *out is the caller's to free. Returns 0, -ENOMEM, or -EFBIG if it does not fit.
 */
int kvfs_elfcore_build_head(const struct kvfs_segment *segs, size_t nr_segs,
			    const struct kvfs_elfcore_note *notes, size_t nr_notes,
			    size_t head_len, void **out);

#endif /* KVFS_ELFCORE_H */
