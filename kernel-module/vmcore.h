/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads of /proc/vmcore through a temporary mapping, which is faster than its ->read_iter. */
#ifndef KVIEW_VMCORE_H
#define KVIEW_VMCORE_H

#include <linux/types.h>

struct file;
struct iov_iter;

bool kview_vmcore_is(const struct file *file);
size_t kview_vmcore_read(struct file *file, u64 pos, size_t len, struct iov_iter *to);

#endif /* KVIEW_VMCORE_H */
