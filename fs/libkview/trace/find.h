/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds the folder of the kernel's tracing (tracefs); the only user of libtracefs. */
#ifndef KVFS_TRACE_FIND_H
#define KVFS_TRACE_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * Writes the path of the tracing folder, of at most len bytes with its NUL, to out. mount: mounts
 * tracefs on /sys/kernel/tracing if it is not mounted, and leaves it there. Any thread may call
 * this, at any time. libtracefs keeps the first answer for the life of the process, so a tracefs
 * that is mounted elsewhere later is not found. Returns 0, -ENOENT if tracefs is not mounted, or
 * -errno, each with the reason.
 */
int kvfs_trace_find(bool mount, char *out, size_t len, struct kvfs_err *err);

#endif /* KVFS_TRACE_FIND_H */
