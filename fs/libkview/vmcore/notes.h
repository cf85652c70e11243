/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory vmcore/notes: the registers of each CPU, cpu0, cpu1 and so on. */
#ifndef KVFS_VMCORE_NOTES_H
#define KVFS_VMCORE_NOTES_H

#include <stdint.h>

#include "base/err.h"
#include "node/node.h"
#include "vmcore/source.h"

/*
 * Makes the directory. The files have the inos from first_ino on. Takes a reference to src of its
 * own. Returns 0 and a node with a reference for the caller, or -errno with a message if the dump
 * has no registers that can be shown.
 */
int kvfs_vmcore_notes_create(struct kvfs_vmcore_source *src, uint64_t ino, uint64_t parent_ino,
			     uint64_t first_ino, struct kvfs_node **out, struct kvfs_err *err);

#endif /* KVFS_VMCORE_NOTES_H */
