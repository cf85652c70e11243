/* SPDX-License-Identifier: GPL-2.0-only */
/* The texts of vmcore/: vmcoreinfo, dmesg, and the registers of each CPU. */
#ifndef KVFS_VMCORE_TEXT_H
#define KVFS_VMCORE_TEXT_H

#include <stddef.h>

#include "base/err.h"
#include "dump/dump.h"

/*
 * Each makes a text, which the caller frees; *len is its bytes. Returns 0, or -errno with a message:
 * -ENODATA if the dump has no note for it, -ENOMEM, or the errors named below.
 */
int kvfs_vmcore_text_vmcoreinfo(struct kvfs_dump *dump, char **text, size_t *len,
				struct kvfs_err *err);

/*
 * The log. If it breaks off, that is no failure: returns 0 with the log up to there, and err has the
 * reason. Errors of kvfs_virt_init() and, without any log, kvfs_printk_decode().
 */
int kvfs_vmcore_text_dmesg(struct kvfs_dump *dump, char **text, size_t *len, struct kvfs_err *err);

/* The registers of the CPU with the nr-th NT_PRSTATUS. Errors of kvfs_vmcore_prstatus_write(). */
int kvfs_vmcore_text_cpu(struct kvfs_dump *dump, size_t nr, char **text, size_t *len,
			 struct kvfs_err *err);

#endif /* KVFS_VMCORE_TEXT_H */
