/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace clocks. Each tracing instance has one of its own, in its file trace_clock. Times of
 * different clocks cannot be compared.
 */
#ifndef KVFS_KVIEW_TRACE_CLOCK_H
#define KVFS_KVIEW_TRACE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * Loads the name of the clock of a ring, from a file of a kviewfs mount (whose attribute
 * user.kview.source names the ring in tracefs), a trace_pipe_raw, or a saved copy. A path that
 * leads to neither of the former is taken to belong to this machine: to instance NAME if it leads
 * through instances/NAME/ and there is one, or else to the top level.
 *
 * *out is the caller's to free; NULL stands for an unknown clock, as where tracefs is not mounted.
 * Returns 0, or -errno and the reason.
 */
int clock_load(const char *path, char **out, struct kvfs_err *err);

/*
 * Pure. Sets *out to the name in brackets of a text as "local [mono] boot\n", the caller's to free.
 * Returns 0, -EBADMSG if there is none, or -ENOMEM.
 */
int clock_parse(const char *text, char **out);

/* Pure. Whether a clock counts nanoseconds; an unknown one (NULL) does. */
bool clock_is_ns(const char *clock);

/* Pure. Whether two names, or NULLs, mean the same clock. */
bool clock_equal(const char *a, const char *b);

#endif /* KVFS_KVIEW_TRACE_CLOCK_H */
