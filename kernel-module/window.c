// SPDX-License-Identifier: GPL-2.0-only
#include "window.h"

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/uio.h>

#include "compat.h"
#include "view.h"
#include "vmcore.h"

/**
 * kview_window_open - open the file that a window shows
 * @window: filled in on success
 * @fd:     a descriptor of the caller
 * @src:    offset in the file of the window's first byte
 *
 * Files on stacked file systems (overlayfs, FUSE passthrough) are refused: they may lead
 * back to a view and exhaust the kernel stack. procfs sets s_stack_depth only to keep
 * others from stacking on it, so its files are accepted.
 *
 * The window has an open file of its own where the kernel has backing files: changes of the
 * caller's descriptor do not reach it.
 *
 * Return: 0, and kview_window_close() is due; -EBADF, -ELOOP or -EINVAL as kview.h says; or the
 * error of opening the file again.
 */
int kview_window_open(struct kview_window *window, int fd, u64 src)
{
	struct file *file = fget(fd);
	const struct inode *inode;
	struct file *backing;
	int ret = 0;

	if (!file)
		return -EBADF;
	inode = file_inode(file);
	if (!(file->f_mode & FMODE_READ))
		ret = -EBADF;
	else if (kview_view_is(file) ||
		 (inode->i_sb->s_stack_depth && inode->i_sb->s_magic != PROC_SUPER_MAGIC))
		ret = -ELOOP;
	else if (!S_ISREG(inode->i_mode) || !file->f_op->read_iter)
		ret = -EINVAL;
	backing = ret ? ERR_PTR(ret) : kview_compat_open_backing(file);
	fput(file);
	if (IS_ERR(backing))
		return PTR_ERR(backing);
	window->file = backing;
	window->src = src;
	window->is_vmcore = kview_vmcore_is(backing);
	return 0;
}

/**
 * kview_window_close - close the file that kview_window_open() opened
 * @window: from kview_window_open()
 */
void kview_window_close(const struct kview_window *window)
{
	fput(window->file);
}

/**
 * kview_window_read - read through a window
 * @window: the window
 * @skip:   bytes of the window before the first one to read
 * @len:    bytes to read, at least 1; the caller checks that they are inside the window
 * @to:     has room for @len bytes
 *
 * Return: bytes read, at least 1; -EIO if the file ends before the window does; or the
 * error of the file.
 */
ssize_t kview_window_read(const struct kview_window *window, u64 skip, size_t len,
			  struct iov_iter *to)
{
	u64 pos = window->src + skip;
	size_t rest = iov_iter_count(to) - len;
	ssize_t ret = 0;

	iov_iter_truncate(to, len);
	if (window->is_vmcore)
		ret = kview_vmcore_read(window->file, pos, len, to);
	if (!ret)
		ret = kview_compat_backing_read(window->file, to, pos);
	iov_iter_reexpand(to, iov_iter_count(to) + rest);
	return ret ?: -EIO;
}

/**
 * kview_window_mmap - let the file of a window map itself
 * @window: the window
 * @off:    offset in the view of the window's first byte
 * @vma:    a mapping of the view inside the window; may only be read, now and later
 *
 * On success @vma is a mapping of the file.
 *
 * Return: 0, -ENODEV if the file cannot be mapped, or the error of the file.
 */
int kview_window_mmap(const struct kview_window *window, u64 off, struct vm_area_struct *vma)
{
	unsigned long shift = (window->src >> PAGE_SHIFT) - (off >> PAGE_SHIFT);

	vma->vm_pgoff += shift;
	return kview_compat_backing_mmap(window->file, vma);
}
