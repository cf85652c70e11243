/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the mount serves, in which mode, and why: as the text of `status`, as the line that
 * is printed at start, and as the answer to module=require. All of them are made by walking
 * the tree, so a view need not do anything to appear.
 */
#ifndef KVFS_FUSE_STATUS_H
#define KVFS_FUSE_STATUS_H

#include <stdio.h>

#include "base/err.h"
#include "fuse/backing.h"
#include "kernel/kmod.h"
#include "node/node.h"

/* All borrowed. */
struct kvfs_status {
	const struct kvfs_kmod *kmod;
	const char *kmod_reason;	/* why there is none, if kmod->fd is -1 */
	struct kvfs_backing *backing;
	struct kvfs_node *root;
};

/* Lines of "key: value"; docs/views.md lists the keys, which are stable. */
void kvfs_status_write(const struct kvfs_status *status, FILE *out);

/*
 * Each directory of the root with its mode, and what is missing or copied with the reason:
 * "kcore direct (kview module)". One line, no newline.
 */
void kvfs_status_summarise(const struct kvfs_status *status, FILE *out);

/*
 * Whether what the module could serve is there and is not copied: kcore/, and in a crash
 * kernel those files of vmcore/ that are whole pages. Returns 0, or -errno with what is not
 * and why.
 */
int kvfs_status_require_backing(const struct kvfs_status *status, struct kvfs_err *err);

/*
 * Opens each file once (kvfs_backing_rehearse()), so that the modes in `status` are those that an
 * open has met. Files whose open disturbs others are left out.
 */
void kvfs_status_rehearse(const struct kvfs_status *status);

#endif /* KVFS_FUSE_STATUS_H */
