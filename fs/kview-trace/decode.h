/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as text, by their formats in tracefs; libtraceevent does the work. */
#ifndef KVFS_KVIEW_TRACE_DECODE_H
#define KVFS_KVIEW_TRACE_DECODE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "trace/ring.h"

struct decoder;

struct decoder_config {
	/*
	 * A folder with events/ of the kernel that wrote the ring: tracefs or a copy of it. NULL:
	 * this machine's tracefs, whose names of tasks are looked up again when new ones come.
	 */
	const char *tracing;
	bool numeric;		/* print addresses as numbers: loading names takes a moment */
};

/* config is not kept. Returns 0, or -errno and what is wrong. */
int decoder_create(const struct decoder_config *config, struct decoder **out, struct kvfs_err *err);
void decoder_destroy(struct decoder *decoder);	/* NULL is allowed */

/*
 * Prints a line for an event of a CPU, as trace_pipe does; of an event without a format its bytes.
 * is_ns: its time is in nanoseconds. Returns 0, or -errno if the format cannot be read.
 */
int decoder_print(struct decoder *decoder, int cpu, bool is_ns, const struct kvfs_ring_event *event,
		  FILE *out);

#endif /* KVFS_KVIEW_TRACE_DECODE_H */
