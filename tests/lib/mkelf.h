/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Expands a text into an ELF core file, so that fixtures can be read, compared and damaged
 * on purpose. A line is a word and KEY=VALUE arguments; '#' starts a comment line. Numbers
 * are as in C, with an optional suffix K, M or G; a text stands in double quotes, with the
 * escapes \n, \t, \0, \\, \" and \xNN.
 *
 *   elf [class=64|32] [data=N] [version=N] [type=N] [machine=N] [phnum=N] [phoff=N]
 *       [phentsize=N] [shoff=N] [xnum=1]
 *       Deviations from a correct header of this machine. phnum is the value of e_phnum;
 *       xnum=1 puts PN_XNUM there and the true number into a section header, which phnum
 *       then changes.
 *   note name=TEXT [type=N] [desc=TEXT] [namesz=N] [descsz=N]
 *       A note. All notes together are the first program header, a PT_NOTE.
 *   notes [off=N] [filesz=N] [align=N]
 *       Deviations in that program header. The notes that follow align=8 are laid out so.
 *   load vaddr=N memsz=N [paddr=N] [off=N] [filesz=N] [align=N] [repeat=N]
 *       A PT_LOAD; paddr is all ones if not given, filesz is memsz. Without off it gets the
 *       next page of the file that is free, with off no room is made for it. repeat=N makes
 *       N of them in a row.
 *   phdr type=N [as load]
 *       Another program header; no room is made for it.
 *   fill load=N [at=N] [len=N] with=addr | byte=N | text=TEXT
 *       Contents of the N-th PT_LOAD (from 0) from its offset at on, up to its end if len is
 *       not given. with=addr: each 8 bytes hold their own physical address, or the virtual
 *       one if there is none. The rest is a hole of the file.
 *   poke off=N text=TEXT
 *       Bytes that are overwritten last, at an offset in the file.
 *   size N
 *       Cuts or extends the file; without it, it ends with its last byte.
 */
#ifndef MKELF_H
#define MKELF_H

#include <stddef.h>

/*
 * Writes the file that text describes to fd, an empty regular file. Returns 0, or -1 and a
 * message with the number of the line in err.
 */
int mkelf_expand(const char *text, int fd, char *err, size_t err_len);

#endif /* MKELF_H */
