/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole reads: short reads and EINTR are taken care of here. */
#ifndef KVFS_BASE_IO_H
#define KVFS_BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads [off, off + len) of fd into buf; goes on after short reads and EINTR. Returns the bytes read,
 * less than len at the end of the file or before a byte that cannot be read; -errno if the first
 * byte cannot be read.
 */
ssize_t kvfs_io_pread(int fd, void *buf, size_t len, uint64_t off);

/* As kvfs_io_pread(), but fewer than len bytes are an error: returns 0, -errno, or -ENODATA. */
int kvfs_io_pread_exact(int fd, void *buf, size_t len, uint64_t off);

/*
 * Reads a whole file of unknown size; files of proc and sysfs have size 0. *out is for the caller to
 * free and ends with a NUL that *out_len does not count. Returns 0, -EFBIG if the file has more than
 * max bytes, or -errno.
 */
int kvfs_io_read_file(const char *path, size_t max, char **out, size_t *out_len);

#endif /* KVFS_BASE_IO_H */
