/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole reads and checked arithmetic: what every parser needs and libc leaves out. */
#ifndef KVFS_BASE_IO_H
#define KVFS_BASE_IO_H

#include <stdbool.h>
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

/* *out = a + b. Returns false, and leaves *out alone, if that does not fit. */
static inline bool kvfs_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*out = sum;
	return true;
}

/* *out = a * b. Returns false, and leaves *out alone, if that does not fit. */
static inline bool kvfs_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*out = product;
	return true;
}

/* Rounds up to a power of two. Returns false, and leaves *out alone, on overflow. */
static inline bool kvfs_align_up_u64(uint64_t v, uint64_t align, uint64_t *out)
{
	uint64_t sum;

	if (!kvfs_add_u64(v, align - 1, &sum))
		return false;
	*out = sum & ~(align - 1);
	return true;
}

#endif /* KVFS_BASE_IO_H */
