/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of a crashed kernel: its printk ring buffer (kernel/printk/printk_ringbuffer.h, since Linux
 * 5.10), decoded by the layout that VMCOREINFO has.
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
 * time stamp in brackets, the caller in brackets if VMCOREINFO has its offset, and the text. Further
 * lines of a message are indented to stand below its first; bytes that cannot be printed become \xNN.
 * A message that a CPU was writing at the time of the crash is left out.
 *
 * Returns 0, or -errno with a message: -EOPNOTSUPP if VMCOREINFO has no such ring buffer, -EBADMSG if
 * the ring in memory contradicts itself, or the error of read. The messages before are in out then.
 */
int kvfs_printk_decode(const struct kvfs_vmcoreinfo *info, kvfs_printk_read_fn read, void *arg,
		       FILE *out, struct kvfs_err *err);

#endif /* KVFS_VMCORE_PRINTK_H */
