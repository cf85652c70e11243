/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows: a part of an open file as a part of a view. The file does the work; what is
 * here moves offsets, and sees to it that nothing outside the window can be had.
 */
#ifndef KVIEW_WINDOW_H
#define KVIEW_WINDOW_H

#include <linux/types.h>

struct file;
struct iov_iter;
struct kview_segment;
struct kview_table;
struct vm_area_struct;

struct file *kview_window_open(int fd);
void kview_window_close(struct file *file);

ssize_t kview_window_read(const struct kview_segment *segment, u64 skip, size_t len,
			  struct iov_iter *to);
const struct kview_segment *kview_window_at(const struct kview_table *table, u64 pos, u64 len);
int kview_window_mmap(const struct kview_segment *segment, struct vm_area_struct *vma);

#endif /* KVIEW_WINDOW_H */
