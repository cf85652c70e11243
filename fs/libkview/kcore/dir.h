/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory kcore/: the memory of the running kernel. */
#ifndef KVFS_KCORE_DIR_H
#define KVFS_KCORE_DIR_H

#include "base/err.h"
#include "kcore/source.h"
#include "node/node.h"

/*
 * Makes the directory; config as in kvfs_kcore_source_create(). Files without a source are
 * missing entries, with the reason. Returns 0 and a node with a reference for the caller, or
 * -errno and why there can be no directory.
 */
int kvfs_kcore_dir_create(const struct kvfs_kcore_source_config *config, struct kvfs_node **out,
			  struct kvfs_err *err);

#endif /* KVFS_KCORE_DIR_H */
