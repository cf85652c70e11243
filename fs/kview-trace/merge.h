/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints the events of several rings merged by time. Times of different clocks cannot be
 * compared, so rings are merged with those of their clock only: a group. With more than one
 * group, a line "# clock: NAME" comes before each run of events of a group.
 */
#ifndef KVFS_KVIEW_TRACE_MERGE_H
#define KVFS_KVIEW_TRACE_MERGE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "kview-trace/decode.h"
#include "kview-trace/ring.h"

struct merge {
	struct ring *rings;		/* borrowed; merge_init() sorts them by group */
	size_t nr;
	struct decoder *decoder;	/* borrowed */
	const volatile sig_atomic_t *stop;
	FILE *out;
	bool several;			/* there is more than one group */
	const char *shown;		/* the clock of the last heading */
	bool any_shown;
};

void merge_init(struct merge *merge, struct ring *rings, size_t nr, struct decoder *decoder,
		const volatile sig_atomic_t *stop, FILE *out);

/*
 * Prints all events there are, group after group, until *stop. With follow it goes on with new
 * ones as they come, each group in turn. Returns 0, or -errno and the reason.
 */
int merge_print(struct merge *merge, bool follow, struct kvfs_err *err);

/*
 * Prints the rest of what has been consumed, after a signal: no reader will see these events
 * any more. Takes nothing new.
 */
int merge_print_taken(struct merge *merge, struct kvfs_err *err);

#endif /* KVFS_KVIEW_TRACE_MERGE_H */
