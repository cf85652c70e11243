/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this machine offers, found by trying and not by version numbers, with the reasons that the
 * user sees. fuse/backing.h has what only a mounted session can know (FUSE passthrough).
 */
#ifndef KVFS_KERNEL_FEATURES_H
#define KVFS_KERNEL_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

struct kvfs_features {
	char kernel_release[65];	/* uname -r */
	char machine[65];		/* uname -m */
	char lockdown[32];		/* "none", "integrity", "confidentiality", or "unknown" */
	size_t page_size;		/* bytes */
	bool io_uring;
	const char *io_uring_reason;	/* constant text why not; NULL if io_uring can be used */
};

/* Never fails: what cannot be found out is "unknown". */
void kvfs_features_load(struct kvfs_features *out);

#endif /* KVFS_KERNEL_FEATURES_H */
