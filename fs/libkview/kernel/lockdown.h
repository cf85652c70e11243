/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel lockdown, read from /sys/kernel/security/lockdown, for which the kernel logs nothing.
 * A request for memory that lockdown forbids adds a line to the kernel log each time
 * (lockdown_is_locked_down(), security/lockdown/lockdown.c, 6.12): KVIEW_IOC_INFO, and an open of
 * /proc/kcore or of a file of tracefs. So what only describes views asks here first.
 */
#ifndef KVFS_KERNEL_LOCKDOWN_H
#define KVFS_KERNEL_LOCKDOWN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes the setting in force: "none", "integrity", "confidentiality", or "unknown" where the LSM
 * is not built in or securityfs is not mounted. out_len must have room for "unknown".
 */
void kvfs_lockdown_load(char *out, size_t out_len);

/* Tells whether lockdown=confidentiality is in force: no memory is shown. Never allocates. */
bool kvfs_lockdown_is_confidential(void);

/*
 * Finds the setting in force in the text of /sys/kernel/security/lockdown, such as
 * "none [integrity] confidentiality\n". Pure. Writes "unknown" if no word of lower-case letters
 * is in brackets, or if it does not fit into out_len bytes with its NUL; out_len must have room
 * for "unknown".
 */
void kvfs_lockdown_parse(const char *text, size_t len, char *out, size_t out_len);

#endif /* KVFS_KERNEL_LOCKDOWN_H */
