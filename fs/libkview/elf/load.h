/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the headers of an ELF core out of a file: /proc/kcore, /proc/vmcore, or a dump. The only
 * file that knows libelf, which translates headers of either class (elf32_xlatetom()); it never
 * sees the file itself.
 */
#ifndef KVFS_ELF_LOAD_H
#define KVFS_ELF_LOAD_H

#include <stdint.h>

#include "base/err.h"
#include "elf/core.h"

/*
 * Reads the program headers and the notes of an ELF core, 64-bit, 32-bit, and with more than
 * 65,534 segments (PN_XNUM). fd is borrowed; name is used in messages only. file_len is the
 * length of the file, or 0 where it is not known (a proc file): a segment that claims bytes
 * beyond it is cut to what is there (len < memsz) and counted in nr_cut. Messages number
 * segments by their program header. Returns 0, or -errno with a message: -ENOEXEC not an ELF
 * core of this byte order, -EBADMSG one whose headers contradict themselves, -ENODATA one that
 * ends inside its headers or notes, -EOPNOTSUPP a libelf that is too old, -ENOMEM, or the errno
 * of read(2). On failure *out is as it was.
 */
int kvfs_elf_load(int fd, const char *name, uint64_t file_len, struct kvfs_elf *out,
		  struct kvfs_err *err);

#endif /* KVFS_ELF_LOAD_H */
