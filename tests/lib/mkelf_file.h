/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to mkelf: the result of its parser, and the writer of the file. */
#ifndef MKELF_FILE_H
#define MKELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MKELF_UNSET UINT64_MAX	/* a number whose default depends on others */

/* Contents of a PT_LOAD from at on. */
struct mkelf_fill {
	size_t load;		/* number of the PT_LOAD */
	uint64_t at, len;	/* len may be MKELF_UNSET: up to its end */
	char *text;		/* len bytes, or NULL */
	bool addr;		/* each 8 bytes are their own address; else each is byte */
	uint8_t byte;
};

/* Bytes that are written last. */
struct mkelf_poke {
	uint64_t off;
	size_t len;
	char *bytes;
};

/* The file to be. Program headers are kept in their 64-bit form. */
struct mkelf {
	/* Fields of the ELF header, or MKELF_UNSET. */
	uint64_t elfclass, data, version, type, machine, phnum, phoff, phentsize, shoff;
	bool xnum;
	Elf64_Phdr *phdrs;	/* without the PT_NOTE of the notes */
	size_t nr_phdrs;
	char *notes;
	size_t notes_len;
	uint64_t notes_off, notes_filesz, notes_align;
	struct mkelf_fill *fills;
	size_t nr_fills;
	struct mkelf_poke *pokes;
	size_t nr_pokes;
	uint64_t size;		/* of the file, or MKELF_UNSET */
	char *err;
	size_t err_len;
	size_t line;		/* number of the line being parsed */
};

/* Writes the file. Returns NULL, or an error message. */
const char *mkelf_file_write(const struct mkelf *m, int fd);

#endif /* MKELF_FILE_H */
