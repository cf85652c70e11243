/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rings that have a node now, by ino, so that two lookups of one ring find the same node.
 * Also what all rings of a tracefs have in common. Any number of threads may use it.
 */
#ifndef KVFS_TRACE_FILES_H
#define KVFS_TRACE_FILES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "trace/mappable.h"

#define KVFS_TRACE_FILES_BUCKETS 256	/* a power of two */

/* A part of each node. */
struct kvfs_trace_entry {
	struct kvfs_list link;
	uint64_t ino;
};

struct kvfs_trace_files {
	_Atomic(unsigned int) refs;
	const char *online;		/* a file that lists the CPUs that are online; borrowed */
	struct kvfs_trace_mappable mappable;
	pthread_mutex_t lock;		/* all below, and the links */
	struct kvfs_list buckets[KVFS_TRACE_FILES_BUCKETS];
};

/*
 * online, borrowed, and release: in place of /sys/devices/system/cpu/online and of the kernel's
 * release, or NULL. Returns NULL if out of memory.
 */
struct kvfs_trace_files *kvfs_trace_files_create(const char *online, const char *release);
struct kvfs_trace_files *kvfs_trace_files_get(struct kvfs_trace_files *files);
void kvfs_trace_files_put(struct kvfs_trace_files *files);	/* NULL is allowed */

/*
 * Finds the entry of ino, or adds the one that make(arg) returns. get takes a reference to the
 * node of an entry and returns false if the node is about to be destroyed, which counts as not
 * found. Both are called with the lock held. Returns NULL if make did.
 */
struct kvfs_trace_entry *kvfs_trace_files_lookup(struct kvfs_trace_files *files, uint64_t ino,
						 bool (*get)(struct kvfs_trace_entry *entry),
						 struct kvfs_trace_entry *(*make)(void *arg),
						 void *arg);

/* Removes an entry whose node is being destroyed. */
void kvfs_trace_files_remove(struct kvfs_trace_files *files, struct kvfs_trace_entry *entry);

#endif /* KVFS_TRACE_FILES_H */
