/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/kpageflags: what the kernel uses a page for, by PFN. Pages that are asked for at once
 * are read in as few pieces as their numbers allow.
 */
#ifndef KVFS_PID_KPAGEFLAGS_H
#define KVFS_PID_KPAGEFLAGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Bits, as in linux/kernel-page-flags.h. */
#define KVFS_KPF_ANON (UINT64_C(1) << 12)
#define KVFS_KPF_SWAPCACHE (UINT64_C(1) << 13)

struct kvfs_kpageflags;		/* opaque; any number of threads may use it */

/* Returns 0 and an object to be destroyed, or -errno and a message. */
int kvfs_kpageflags_create(struct kvfs_kpageflags **out, struct kvfs_err *err);

/* The same on any file of 64-bit words, for tests. */
int kvfs_kpageflags_create_on(const char *path, struct kvfs_kpageflags **out, struct kvfs_err *err);
void kvfs_kpageflags_destroy(struct kvfs_kpageflags *kpf);	/* NULL is allowed */

/* One page: the caller sets pfn, and index for his own use. */
struct kvfs_kpageflags_query {
	uint64_t pfn;
	uint64_t flags;		/* out; 0 if there is no such page */
	size_t index;
};

/* Looks up n pages, and leaves v sorted by PFN. Returns 0, or -errno. */
int kvfs_kpageflags_load(struct kvfs_kpageflags *kpf, struct kvfs_kpageflags_query *v, size_t n);

#endif /* KVFS_PID_KPAGEFLAGS_H */
