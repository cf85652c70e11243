/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A byte of a file that cannot be read: pread(2) of the unit under test, which is linked with --wrap
 * for pread and pread64 (failpread.c).
 */
#ifndef FAILPREAD_H
#define FAILPREAD_H

#include <stdint.h>
#include <sys/types.h>

ssize_t __real_pread(int fd, void *buf, size_t len, off_t off);

/* From now on byte off of any file cannot be read: a read ends before it, or fails with errnum. */
void failpread_at(uint64_t off, int errnum);

/* All can be read again. */
void failpread_off(void);

#endif /* FAILPREAD_H */
