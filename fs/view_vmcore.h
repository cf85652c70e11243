/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory vmcore/: a crashed kernel's memory, out of a dump. */
#ifndef KVFS_VIEW_VMCORE_H
#define KVFS_VIEW_VMCORE_H

#include "dump.h"
#include "err.h"
#include "kmod.h"
#include "view.h"

/*
 * Makes the directory. Returns 0 and a node with a reference for the caller, or -errno and why
 * the dump cannot be shown. config, kmod and kmod_reason as in kvfs_vmcoresrc_create().
 */
int kvfs_view_vmcore_create(const struct kvfs_dump_config *config, const struct kvfs_kmod *kmod,
			    const char *kmod_reason, struct kvfs_node **out, struct kvfs_err *err);

#endif /* KVFS_VIEW_VMCORE_H */
