/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an ELF core is to its readers: a list of segments, the notes, and the text of VMCOREINFO
 * among them. Pure: elf/load reads a file and fills in the struct with the functions here, and
 * a program that has the headers in memory can do the same. Nothing in the headers is trusted:
 * each offset, count and size is checked, and messages name what is wrong.
 */
#ifndef KVFS_ELF_CORE_H
#define KVFS_ELF_CORE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "elf/notes.h"

/* p_paddr of a segment whose physical address is not known (/proc/kcore: vmalloc, vmemmap). */
#define KVFS_NO_PADDR UINT64_MAX

/* Most bytes of program headers, and of note segments, that a core may have. */
#define KVFS_ELF_HEAD_MAX (16 * 1024 * 1024)

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
	struct kvfs_elf_notes notes;
	char *vmcoreinfo;		/* the VMCOREINFO note as text, NUL-terminated; NULL if none */
	size_t vmcoreinfo_len;		/* without the NUL */
	uint16_t machine;		/* e_machine */
	uint8_t elfclass;		/* ELFCLASS32 or ELFCLASS64 */
	size_t nr_cut;			/* segments that were cut, since the file is too short */
	struct kvfs_elf_cut first_cut;	/* valid if nr_cut is not 0 */
};

/* The file of a core, for checks and messages. */
struct kvfs_elf_file {
	const char *name;
	uint64_t len;		/* bytes; 0: not known (a proc file) */
};

/*
 * Prepares *core for nr_phdrs program headers. Returns 0 or -ENOMEM. The functions below may
 * then be called, and kvfs_elf_deinit() must be, after their failure too.
 */
int kvfs_elf_init(struct kvfs_elf *core, uint16_t machine, uint8_t elfclass, size_t nr_phdrs);

/*
 * Adds the PT_LOAD with program header ph, which is number index; of a 32-bit core, its fields
 * are widened. A segment of no bytes in memory is left out, one that reaches beyond the end of
 * the file is cut and counted in nr_cut. Returns 0, or -EBADMSG with a message.
 */
int kvfs_elf_add_segment(struct kvfs_elf *core, const struct kvfs_elf_file *file, size_t index,
			 const Elf64_Phdr *ph, struct kvfs_err *err);

/*
 * Whether the bytes of the PT_NOTE with program header ph may be read: 0, or -EBADMSG with a
 * message if the core has too many bytes of notes.
 */
int kvfs_elf_check_notes(const struct kvfs_elf *core, const struct kvfs_elf_file *file,
			 const Elf64_Phdr *ph, struct kvfs_err *err);

/*
 * Adds the PT_NOTE with program header ph and its p_filesz bytes, which it consumes, on failure
 * too. Returns 0 or -ENOMEM with a message.
 */
int kvfs_elf_add_notes(struct kvfs_elf *core, const struct kvfs_elf_file *file,
		       const Elf64_Phdr *ph, void *bytes, struct kvfs_err *err);

/*
 * Finds VMCOREINFO when all segments are there. Returns 0, also without one, -EBADMSG with a
 * message if there is none and a note is malformed, or -ENOMEM.
 */
int kvfs_elf_find_vmcoreinfo(struct kvfs_elf *core, const struct kvfs_elf_file *file,
			     struct kvfs_err *err);

/* e_machine of this machine's own programs. */
uint16_t kvfs_elf_native_machine(void);

/* EI_DATA of this machine's own programs. */
uint8_t kvfs_elf_native_data(void);

/* Frees what the struct holds. A zeroed struct and NULL are allowed. */
void kvfs_elf_deinit(struct kvfs_elf *core);

#endif /* KVFS_ELF_CORE_H */
