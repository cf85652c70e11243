/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows: a range of an open file shown as a range of a view. The file does the work;
 * the functions here translate offsets and keep callers inside the window.
 */
#ifndef KVIEW_WINDOW_H
#define KVIEW_WINDOW_H

#include <linux/types.h>

struct file;
struct iov_iter;
struct vm_area_struct;

/**
 * struct kview_window - the file end of a window
 * @file:      the file; the window holds a reference
 * @src:       offset in @file of the window's first byte
 * @is_vmcore: set if @file is /proc/vmcore
 */
struct kview_window {
	struct file *file;
	u64 src;
	bool is_vmcore;
};

int kview_window_open(struct kview_window *window, int fd, u64 src);
void kview_window_close(const struct kview_window *window);

ssize_t kview_window_read(const struct kview_window *window, u64 skip, size_t len,
			  struct iov_iter *to);
int kview_window_mmap(const struct kview_window *window, u64 off, struct vm_area_struct *vma);

#endif /* KVIEW_WINDOW_H */
