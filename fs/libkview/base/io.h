/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole reads: short reads and EINTR are taken care of here. */
#ifndef KVFS_BASE_IO_H
#define KVFS_BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads [off, off + len) of fd into buf, going on after short reads and EINTR.
 * Returns the bytes read, less than len only at end of file, or -errno if the first
 * byte cannot be read; an error after some bytes were read returns those bytes.
 */
ssize_t kvfs_io_pread(int fd, void *buf, size_t len, uint64_t off);

/* As kvfs_io_pread(), but anything short of len is an error: 0, -errno, or -ENODATA. */
int kvfs_io_pread_exact(int fd, void *buf, size_t len, uint64_t off);

/*
 * Reads a whole file of unknown size (proc and sysfs files say 0). *out is NUL-terminated
 * for convenience and the caller's to free; *out_len does not count that NUL.
 * Returns 0, -EFBIG past max bytes, or -errno.
 */
int kvfs_io_read_file(const char *path, size_t max, char **out, size_t *out_len);

#endif /* KVFS_BASE_IO_H */
