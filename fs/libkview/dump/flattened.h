/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flattened dumps: the stream that `makedumpfile -F` and QEMU's dump-guest-memory write, each piece
 * after its offset and length in the dump. To be read at any offset, it must be put in order first,
 * as `makedumpfile -R` does.
 */
#ifndef KVFS_DUMP_FLATTENED_H
#define KVFS_DUMP_FLATTENED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "dump/dump.h"

/* Bytes at the start of a file that tell whether it is flattened. */
#define KVFS_FLATTENED_HEAD_LEN 32

/* Whether a file with this head, of KVFS_FLATTENED_HEAD_LEN bytes, is a flattened dump. */
bool kvfs_flattened_is(const void *head);

/*
 * Writes the dump that the stream in has (file_len bytes; name is for messages) to out, which is
 * empty. Both are borrowed. progress may be NULL. *cut is the byte at which the stream breaks off,
 * or 0 if it is whole. Returns 0, -EBADMSG with a message if a piece claims an offset that no file
 * has, -ENOMEM, or the -errno of read(2) or write(2).
 */
int kvfs_flattened_unfold(int in, const char *name, uint64_t file_len, int out, uint64_t *cut,
			  kvfs_progress_fn progress, void *arg, struct kvfs_err *err);

#endif /* KVFS_DUMP_FLATTENED_H */
