/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzz targets share. Each has one LLVMFuzzerTestOneInput(), which libFuzzer or
 * standalone.c calls; anything that must hold of an answer, whatever the input, is checked
 * with fuzz_assert().
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_assert(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

/* A failure has a message, and the message the errno that was returned. */
static inline void fuzz_check_error(int ret, const struct kvfs_err *err)
{
	fuzz_assert(ret < 0 && err->errnum == -ret);
	fuzz_assert(err->msg[0] && !strchr(err->msg, '\n'));
}

/* A file that holds data; its descriptor is good until the next call. */
static inline int fuzz_file(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	fuzz_assert(fd >= 0);
	fuzz_assert(ftruncate(fd, 0) == 0);
	fuzz_assert(pwrite(fd, data, size, 0) == (ssize_t)size);
	return fd;
}

#endif /* FUZZ_H */
