/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of rings, from copies, so nothing is consumed. */
#ifndef KVFS_KVIEW_TRACE_STATS_H
#define KVFS_KVIEW_TRACE_STATS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

struct operand {
	const char *path;
	int cpu;
	char *clock;		/* NULL: unknown */
};

/*
 * Prints a table for rings that are being written, a line each: every second until *stop, or
 * once. Returns 0, or -errno and what is wrong.
 */
int stats_live(const struct operand *operands, size_t n, bool once, const volatile sig_atomic_t *stop,
	       FILE *out, struct kvfs_err *err);

/* Prints the table for saved copies, once, with the rate between their first and last event. */
int stats_saved(const struct operand *operands, size_t n, FILE *out, struct kvfs_err *err);

#endif /* KVFS_KVIEW_TRACE_STATS_H */
