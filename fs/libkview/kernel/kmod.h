/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Client of the kview kernel module (include/kview.h): finds out whether it can serve, and
 * turns extent tables into views. Any number of threads may use an open struct kvfs_kmod.
 */
#ifndef KVFS_KERNEL_KMOD_H
#define KVFS_KERNEL_KMOD_H

#include <stdbool.h>

#include "base/err.h"
#include "extent/extent.h"
#include "kview.h"

struct kvfs_kmod {
	int fd;			/* of the control device; -1: cannot be used */
	char *path;		/* of the control device, for messages; valid if fd >= 0 */
	struct kview_info info;	/* as it was at open; valid if fd >= 0 */
};

/*
 * Opens the control device (path, normally KVIEW_DEVICE) and checks that the module speaks
 * KVIEW_ABI_VERSION. Returns 0, or -errno with a message that says what to do about it and
 * kmod->fd = -1: -ENOENT the module is not loaded, -EPERM no privilege, -EPROTO another ABI
 * version (the message has both), -ENOTTY not the control device, -ENOMEM, or another error of
 * open(2) or of the module. While kmod is open the module cannot be unloaded.
 */
int kvfs_kmod_open(struct kvfs_kmod *kmod, const char *path, struct kvfs_err *err);

/* One with fd -1 is allowed; closing twice is too. */
void kvfs_kmod_close(struct kvfs_kmod *kmod);

/*
 * Asks the module again: refusals and revalidate_ms can change at run time. Under
 * lockdown=confidentiality *out is what the module reported at open, with the refusal, because
 * asking would add a line to the kernel log. Returns 0, -ENODEV if kmod is closed, or -errno with
 * a message.
 */
int kvfs_kmod_ask(const struct kvfs_kmod *kmod, struct kview_info *out, struct kvfs_err *err);

/*
 * Tells whether kvfs_kmod_create_view() can be expected to succeed for RAM, without asking the
 * module. Returns 0, -EPERM under lockdown, -EOPNOTSUPP in an encrypted guest or without the
 * feature, or -ENODEV if kmod is closed; the message says which.
 */
int kvfs_kmod_check_ram(const struct kvfs_kmod *kmod, struct kvfs_err *err);

/*
 * Makes a view of the table: RAM and BLOB extents; a FILE extent is -EOPNOTSUPP. name is
 * what /proc/PID/fd shows, at most 31 bytes (-ENAMETOOLONG). Returns a descriptor, which the
 * caller closes, or -errno with a message: -E2BIG beyond a limit of the module, -ENODEV
 * if kmod is closed, -ENOMEM, or the error of KVIEW_IOC_CREATE.
 */
int kvfs_kmod_create_view(const struct kvfs_kmod *kmod, const char *name,
			  const struct kvfs_extents *t, struct kvfs_err *err);

/*
 * Tells whether kvfs_kmod_create_window() can be expected to succeed for a table of FILE extents.
 * Returns 0, or with a message -ENODEV if kmod is closed, -EOPNOTSUPP without the feature, -E2BIG
 * for more extents than the module takes, -EINVAL if they are not whole pages at whole pages of
 * the file, which could be read but not mapped.
 */
int kvfs_kmod_check_window(const struct kvfs_kmod *kmod, const struct kvfs_extents *t,
			   struct kvfs_err *err);

/*
 * As kvfs_kmod_create_view(), for a table whose FILE extents are parts of file_fd, which is
 * borrowed. The view maps that file's own pages, and reads of it are reads of that file.
 */
int kvfs_kmod_create_window(const struct kvfs_kmod *kmod, const char *name,
			    const struct kvfs_extents *t, int file_fd, struct kvfs_err *err);

#endif /* KVFS_KERNEL_KMOD_H */
