/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a folder of tracefs holds, read once and sorted: the CPUs of per_cpu/, or instances/. A
 * directory reader keeps one, so that a listing costs as many system calls as it has entries.
 */
#ifndef KVFS_TRACE_LISTING_H
#define KVFS_TRACE_LISTING_H

#include <stddef.h>
#include <stdint.h>

struct kvfs_trace_listed {
	uint64_t key;		/* what the listing is sorted by */
	uint64_t ino;		/* as tracefs has it: of trace_pipe_raw, or of the instance's folder */
	char *name;
};

/* All zero is empty. */
struct kvfs_trace_listing {
	struct kvfs_trace_listed *v;
	size_t n, cap;
};

/*
 * Lists the CPUs of the instance in the folder dir; a key is the number of the CPU. Opens no
 * ring. What was in *out is freed. Returns 0, -ENOENT if the instance is gone, or -errno with
 * *out empty.
 */
int kvfs_trace_listing_load_cpus(struct kvfs_trace_listing *out, const char *dir);

/* Lists the instances in the folder dir; a key is the ino, which an instance keeps. The same. */
int kvfs_trace_listing_load_instances(struct kvfs_trace_listing *out, const char *dir);

void kvfs_trace_listing_free(struct kvfs_trace_listing *listing);

/* The first element whose key is not below `first`, borrowed; NULL if there is none. */
const struct kvfs_trace_listed *kvfs_trace_listing_from(const struct kvfs_trace_listing *listing,
							uint64_t first);

/*
 * Loads the ino of the ring in the folder dir, or of the folder dir itself, with stat(2). tracefs
 * gives each file of an instance a number that no other file gets. Returns 0, -ENOENT if there is
 * no such thing, or -errno.
 */
int kvfs_trace_listing_ring_ino(const char *dir, uint64_t *ino);
int kvfs_trace_listing_dir_ino(const char *dir, uint64_t *ino);

#endif /* KVFS_TRACE_LISTING_H */
