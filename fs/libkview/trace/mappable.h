/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether rings can be mapped, as far as that is known without opening one.
 *
 * Only mmap(2) of an open trace_pipe_raw shows it for certain, and only a user opens one: what
 * the first open of any ring meets holds for the kernel. Before that it is expected of Linux
 * 6.10 and later. A kernel that has the mapping backported is met at the first open.
 */
#ifndef KVFS_TRACE_MAPPABLE_H
#define KVFS_TRACE_MAPPABLE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

/* Any number of threads may use one. */
struct kvfs_trace_mappable {
	bool expected;			/* by the kernel's release */
	_Atomic(int) known;		/* enum known of mappable.c */
};

/* release: as of uname(2), as in "6.12.48+deb13-amd64"; NULL: that of the running kernel. */
void kvfs_trace_mappable_init(struct kvfs_trace_mappable *m, const char *release);

/*
 * Takes into account an attempt to map the ring in the folder dir: error is 0 or -errno of
 * kvfs_tracefs_map().
 */
void kvfs_trace_mappable_learn(struct kvfs_trace_mappable *m, const char *dir, int error);

/*
 * Tells what to expect of the ring in the folder dir, without opening it: 0, or -ENODEV and why
 * it cannot be mapped.
 */
int kvfs_trace_mappable_expect(const struct kvfs_trace_mappable *m, const char *dir,
			       struct kvfs_err *err);

#endif /* KVFS_TRACE_MAPPABLE_H */
