/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the mount serves, in which mode, and why: the text of `status`, the line that is printed
 * at start, and the answer to module=require. Each is made by a walk of the tree, so a view need
 * not do anything to appear. Only kvfs_status_rehearse() opens files; the others open no source.
 */
#ifndef KVFS_FUSE_STATUS_H
#define KVFS_FUSE_STATUS_H

#include <stdio.h>

#include "base/err.h"
#include "fuse/backing.h"
#include "kernel/kmod.h"
#include "node/node.h"

/* All members are borrowed. */
struct kvfs_status {
	const struct kvfs_kmod *kmod;
	const char *kmod_reason;	/* why there is none, if kmod->fd is -1 */
	struct kvfs_backing *backing;
	struct kvfs_node *root;
};

/* Writes lines of "key: value"; docs/views.md lists the keys, which are stable. */
void kvfs_status_write(const struct kvfs_status *status, FILE *out);

/*
 * Writes each directory of the root with its mode, and what is missing or copied with the reason:
 * "kcore direct (kview module)". One line without a newline.
 */
void kvfs_status_summarise(const struct kvfs_status *status, FILE *out);

/*
 * Checks that what the module can serve exists and is not copied: kcore/, and in a crash kernel
 * those files of vmcore/ that are whole pages. Returns 0, or -errno with the first file that is
 * missing or copied, and why.
 */
int kvfs_status_require_backing(const struct kvfs_status *status, struct kvfs_err *err);

/*
 * Opens each file once (kvfs_backing_rehearse()), so that the modes in `status` are those that an
 * open has met. Files whose open disturbs others are left out.
 */
void kvfs_status_rehearse(const struct kvfs_status *status);

#endif /* KVFS_FUSE_STATUS_H */
