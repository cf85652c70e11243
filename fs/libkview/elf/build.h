/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ELF cores, written: a list of segments becomes the head of a core file, such as that of
 * kcore/core. The bytes of the segments are somebody else's business. Pure.
 */
#ifndef KVFS_ELF_BUILD_H
#define KVFS_ELF_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "elf/parse.h"

/* One note to be written. */
struct kvfs_elf_new_note {
	const char *name;	/* a string; n_namesz counts its NUL */
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
