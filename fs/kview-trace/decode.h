/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as text, by what tracefs says of their formats; libtraceevent does the work. */
#ifndef KVFS_KVIEW_TRACE_DECODE_H
#define KVFS_KVIEW_TRACE_DECODE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "trace/ring.h"

struct decoder;

struct decoder_config {
	/*
	 * A folder with the events/ of the kernel that wrote the ring, as tracefs or a copy of
	 * it; NULL: this machine's tracefs.
	 */
	const char *tracing;
	const char *clock;	/* what trace_clock said; NULL: nanoseconds */
	bool numeric;		/* addresses stay numbers: names take a moment to load */
};

/* config is borrowed. Returns 0, or -errno and what is wrong. */
int decoder_create(const struct decoder_config *config, struct decoder **out, struct kvfs_err *err);
void decoder_destroy(struct decoder *decoder);

/* Prints a line for an event of a CPU, in the manner of trace_pipe. */
void decoder_print(struct decoder *decoder, int cpu, const struct kvfs_ring_event *event,
		   FILE *out);

/* The clock of this machine's ring: of an instance, or NULL for the top level. To be freed. */
char *decoder_clock(const char *instance);

/* Whether a clock counts nanoseconds; NULL is one that does. */
bool decoder_clock_is_ns(const char *clock);

#endif /* KVFS_KVIEW_TRACE_DECODE_H */
