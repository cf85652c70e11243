/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory vmcore/notes: the registers of each CPU, cpu0, cpu1 and so on. */
#ifndef KVFS_VMCORE_NOTES_H
#define KVFS_VMCORE_NOTES_H

#include <stdint.h>

#include "base/err.h"
#include "node/node.h"
#include "vmcore/source.h"

/*
 * Makes the directory; the files have the numbers from first_ino on. Takes its own reference
 * to src. Returns 0, or -errno and why there is none.
 */
int kvfs_vmcore_notes_create(struct kvfs_vmcore_source *src, uint64_t ino, uint64_t parent_ino,
			     uint64_t first_ino, struct kvfs_node **out, struct kvfs_err *err);

/*
 * Which number a name such as "cpu12" has behind its prefix: false if it is none below n, or
 * is not written as snprintf(3) would.
 */
bool kvfs_vmcore_notes_parse(const char *name, const char *prefix, uint64_t n, uint64_t *nr);

#endif /* KVFS_VMCORE_NOTES_H */
