/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Client of the kview kernel module (include/kview.h): finds out whether it can serve, and
 * turns extent tables into views.
 */
#ifndef KVFS_KMOD_H
#define KVFS_KMOD_H

#include <stdbool.h>

#include "err.h"
#include "extent.h"
#include "kview.h"

struct kvfs_kmod {
	int fd;			/* of the control device; -1: cannot be used */
	struct kview_info info;	/* valid if fd >= 0 */
};

/*
 * Opens the control device (path, normally KVIEW_DEVICE) and checks that the module speaks
 * KVIEW_ABI_VERSION. Returns 0, or -errno with a message that says what to do about it and
 * kmod->fd = -1: -ENOENT the module is not loaded, -EPERM no privilege, -EPROTO another ABI
 * version (the message has both), -ENOTTY not the control device, or whatever else open(2) or
 * the module said. While kmod is open the
 * module cannot be unloaded.
 */
int kvfs_kmod_open(struct kvfs_kmod *kmod, const char *path, struct kvfs_err *err);

/* One with fd -1 is allowed; closing twice is too. */
void kvfs_kmod_close(struct kvfs_kmod *kmod);

/*
 * Whether views of RAM can be made now; asks the module, since lockdown can be raised at run
 * time. Returns 0, -EPERM under lockdown, -EOPNOTSUPP in an encrypted guest or without the
 * feature, -ENODEV if kmod is closed, or -errno; the message says which. Refreshes info.
 */
int kvfs_kmod_check_ram(struct kvfs_kmod *kmod, struct kvfs_err *err);

/*
 * Makes a view of the table: RAM and BLOB extents; a FILE extent is -EOPNOTSUPP. name is
 * what /proc/PID/fd shows, at most 31 bytes (-ENAMETOOLONG). Returns a descriptor, the
 * caller's to close, or -errno with a message: -E2BIG beyond a limit of the module, -ENODEV
 * if kmod is closed, -ENOMEM, or that of KVIEW_IOC_CREATE.
 */
int kvfs_kmod_create_view(const struct kvfs_kmod *kmod, const char *name,
			  const struct kvfs_extents *t, struct kvfs_err *err);

#endif /* KVFS_KMOD_H */
