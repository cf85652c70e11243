/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this machine offers, found by trying and not by version numbers, and the text that
 * explains it to the user. What only a mounted session can know (FUSE passthrough) is in
 * backing.h.
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

/*
 * The setting in force out of the text of /sys/kernel/security/lockdown, such as
 * "none [integrity] confidentiality\n". Pure. "unknown" if no word of lower-case
 * letters is in brackets, or it does not fit into out_len bytes with its NUL. out_len must have room for "unknown".
 */
void kvfs_features_parse_lockdown(const char *text, size_t len, char *out, size_t out_len);

#endif /* KVFS_KERNEL_FEATURES_H */
