/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of rings, out of copies that consume nothing. */
#ifndef KVFS_KVIEW_TRACE_STATS_H
#define KVFS_KVIEW_TRACE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

struct operand {
	const char *path;
	int cpu;
};

/*
 * Prints a table for rings that are being written: one line each, every second until *stop,
 * or once. Returns 0, or -errno and what is wrong.
 */
int stats_live(const struct operand *operands, size_t n, bool once, const volatile bool *stop,
	       FILE *out, struct kvfs_err *err);

/* The same for saved copies, with the rate between their first and last event. */
int stats_saved(const struct operand *operands, size_t n, bool clock_is_ns, FILE *out,
		struct kvfs_err *err);

#endif /* KVFS_KVIEW_TRACE_STATS_H */
