/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/kpageflags: what the kernel uses each page for, by PFN. Flags of many pages are read with
 * as few system calls as their PFNs allow.
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

/* As kvfs_kpageflags_create(), on any file of 64-bit words. For tests. */
int kvfs_kpageflags_create_on(const char *path, struct kvfs_kpageflags **out, struct kvfs_err *err);
void kvfs_kpageflags_destroy(struct kvfs_kpageflags *kpf);	/* NULL is allowed */

/* One page. The caller sets pfn, and index for its own use. */
struct kvfs_kpageflags_query {
	uint64_t pfn;
	uint64_t flags;		/* out; 0 if there is no such page */
	size_t index;
};

/* Sets flags of n pages and sorts v by PFN. Returns 0 or -errno. */
int kvfs_kpageflags_load(struct kvfs_kpageflags *kpf, struct kvfs_kpageflags_query *v, size_t n);

#endif /* KVFS_PID_KPAGEFLAGS_H */
