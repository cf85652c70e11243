/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes the head of an ELF core: ELF header, program headers, notes. The caller places the
 * bytes of the segments. Pure.
 */
#ifndef KVFS_ELF_BUILD_H
#define KVFS_ELF_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "elf/core.h"

/* One note to be written. */
struct kvfs_elf_new_note {
	const char *name;	/* not NUL-terminated; a NUL is written and counted in n_namesz */
	size_t name_len;	/* bytes, below UINT32_MAX */
	uint32_t type;
	const void *desc;
	size_t desc_len;	/* bytes */
};

/*
 * Builds the head of an ELF64 core for this machine: ELF header, one PT_NOTE (also without
 * notes, since crash(8) expects the first program header to be it), a PT_LOAD for each
 * segment with its p_offset, the notes; zero-padded to head_len bytes. p_align of a PT_LOAD
 * is 0, as in /proc/vmcore. *out is the caller's to free. Returns 0, -ENOMEM, or -EFBIG if
 * it does not fit.
 */
int kvfs_elf_build(const struct kvfs_segment *segs, size_t nr_segs,
		   const struct kvfs_elf_new_note *notes, size_t nr_notes,
		   size_t head_len, void **out);

#endif /* KVFS_ELF_BUILD_H */
