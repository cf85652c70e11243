/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory vmcore/: the memory of a crashed kernel, from a dump. */
#ifndef KVFS_VMCORE_DIR_H
#define KVFS_VMCORE_DIR_H

#include "base/err.h"
#include "dump/dump.h"
#include "kernel/kmod.h"
#include "node/node.h"

/*
 * Makes the directory. Arguments and errors as those of kvfs_vmcore_source_create(). Returns 0 and a
 * node with a reference for the caller, or -errno with a message.
 */
int kvfs_vmcore_dir_create(const struct kvfs_dump_config *config, const struct kvfs_kmod *kmod,
			   const char *kmod_reason, struct kvfs_node **out, struct kvfs_err *err);

#endif /* KVFS_VMCORE_DIR_H */
