/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flattened dumps: the stream that `makedumpfile -F` and QEMU's dump-guest-memory write, each
 * piece with the place that it belongs to before it. To be read at will they must be put in
 * order first, as `makedumpfile -R` does.
 */
#ifndef KVFS_DUMP_FLATTENED_H
#define KVFS_DUMP_FLATTENED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Told now and then of the bytes done, of total. */
typedef void (*kvfs_progress_fn)(void *arg, uint64_t done, uint64_t total);

/* Bytes at the start of a file that tell whether it is flattened. */
#define KVFS_FLATTENED_HEAD_LEN 32

/* Whether a file that begins with so many bytes is a flattened dump. */
bool kvfs_flattened_is(const void *head);

/*
 * Writes what the flattened dump in (file_len bytes, borrowed, called name in messages)
 * stands for into out, which is empty and borrowed. progress may be NULL. *cut is where in
 * in the stream breaks off, or 0 if it comes to its end. Returns 0, -EBADMSG with a message
 * if a piece claims a place that no file has, or the errno of read(2) or write(2).
 */
int kvfs_flattened_unfold(int in, const char *name, uint64_t file_len, int out, uint64_t *cut,
			  kvfs_progress_fn progress, void *arg, struct kvfs_err *err);

#endif /* KVFS_DUMP_FLATTENED_H */
