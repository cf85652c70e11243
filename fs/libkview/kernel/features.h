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

/*
 * Tells whether lockdown=confidentiality is in force, under which the kernel refuses memory to
 * its users. Reads /sys/kernel/security/lockdown, for which the kernel logs nothing; each open of
 * /proc/kcore and each KVIEW_IOC_INFO adds a line to the kernel log then
 * (lockdown_is_locked_down(), 6.12). False if that file cannot be read.
 */
bool kvfs_features_confidential(void);

/*
 * Finds the setting in force in the text of /sys/kernel/security/lockdown, such as
 * "none [integrity] confidentiality\n". Pure. Writes "unknown" if no word of lower-case letters
 * is in brackets, or if it does not fit into out_len bytes with its NUL; out_len must have room
 * for "unknown".
 */
void kvfs_features_parse_lockdown(const char *text, size_t len, char *out, size_t out_len);

#endif /* KVFS_KERNEL_FEATURES_H */
