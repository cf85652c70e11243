/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of a crashed kernel: its printk ring buffer, decoded by what VMCOREINFO says of the
 * layout (kernel/printk/printk_ringbuffer.h, lockless since Linux 5.10).
 */
#ifndef KVFS_VMCORE_PRINTK_H
#define KVFS_VMCORE_PRINTK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "kernel/vmcoreinfo.h"

/* Reads exactly [vaddr, vaddr + len) of the kernel's virtual memory. Returns 0 or -errno. */
typedef int (*kvfs_printk_read_fn)(void *arg, void *buf, size_t len, uint64_t vaddr);

/*
 * Writes the messages to out, oldest first, in the format of `makedumpfile --dump-dmesg`: a
 * time stamp in brackets, the caller in brackets where VMCOREINFO tells of it, the text; the
 * lines of one message that follow its first are indented to stand below it, and bytes that
 * cannot be printed are shown as \xNN. Messages that a CPU was just writing are left out.
 *
 * Returns 0, or -errno with a message: -EOPNOTSUPP if VMCOREINFO does not tell of such a ring
 * buffer, -EBADMSG if what is in memory cannot be one, or the error of read. What was written
 * before stays written.
 */
int kvfs_printk_decode(const struct kvfs_vmcoreinfo *info, kvfs_printk_read_fn read, void *arg,
		       FILE *out, struct kvfs_err *err);

#endif /* KVFS_VMCORE_PRINTK_H */
