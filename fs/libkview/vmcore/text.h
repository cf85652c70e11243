/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of vmcore/ that are text: vmcoreinfo, dmesg, and the registers of each CPU. */
#ifndef KVFS_VMCORE_TEXT_H
#define KVFS_VMCORE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dump/dump.h"
#include "node/node.h"

/*
 * The texts. *text is the caller's to free, *len its bytes. Return 0, or -errno and why there
 * is none: -ENODATA if the dump has nothing to make it from.
 */
int kvfs_vmcore_text_vmcoreinfo(struct kvfs_dump *dump, char **text, size_t *len,
				struct kvfs_err *err);

/* A log that breaks off is better than none: 0 with err->errnum set, and where it does. */
int kvfs_vmcore_text_dmesg(struct kvfs_dump *dump, char **text, size_t *len, struct kvfs_err *err);

/* Of the CPU with the nr-th NT_PRSTATUS. */
int kvfs_vmcore_text_cpu(struct kvfs_dump *dump, size_t nr, char **text, size_t *len,
			 struct kvfs_err *err);

/* A file with this text, which it takes over, on failure too. NULL if out of memory. */
struct kvfs_node *kvfs_vmcore_text_create(const char *label, char *text, size_t len, uint64_t ino,
					  uint64_t parent_ino);

#endif /* KVFS_VMCORE_TEXT_H */
