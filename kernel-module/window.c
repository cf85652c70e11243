// SPDX-License-Identifier: GPL-2.0-only
#include "window.h"

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/uio.h>

#include "compat.h"
#include "extent.h"
#include "file.h"
#include "kview.h"
#include "vmcore.h"

/**
 * kview_window_open - take a reference to the file that a window is to look at
 * @fd: the caller's descriptor
 *
 * A file system that is stacked on others, or is a FUSE mount with backing files of its
 * own, may lead back here, level by level, until the stack is used up. procfs claims to be
 * stacked to keep others from stacking on it, and leads nowhere.
 *
 * Return: the file, for kview_window_close(), or an ERR_PTR() as kview.h says.
 */
struct file *kview_window_open(int fd)
{
	struct file *file = fget(fd);
	const struct inode *inode;
	int ret = 0;

	if (!file)
		return ERR_PTR(-EBADF);
	inode = file_inode(file);
	if (!(file->f_mode & FMODE_READ))
		ret = -EBADF;
	else if (kview_file_is_view(file) ||
		 (inode->i_sb->s_stack_depth && inode->i_sb->s_magic != PROC_SUPER_MAGIC))
		ret = -ELOOP;
	else if (!S_ISREG(inode->i_mode) || !file->f_op->read_iter)
		ret = -EINVAL;
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

/**
 * kview_window_close - undo kview_window_open()
 * @file: the file
 */
void kview_window_close(struct file *file)
{
	fput(file);
}

/**
 * kview_window_read - read through a window
 * @segment: of kind KVIEW_EXTENT_FILE
 * @skip:    bytes of it before the first one wanted
 * @len:     bytes wanted, inside the segment, at least 1
 * @to:      has room for them
 *
 * Return: bytes read, at least 1; -EIO if the file ends before the window does; or the
 * error of the file.
 */
ssize_t kview_window_read(const struct kview_segment *segment, u64 skip, size_t len,
			  struct iov_iter *to)
{
	loff_t pos = segment->src + skip;
	size_t rest = iov_iter_count(to) - len;
	ssize_t ret = 0;

	iov_iter_truncate(to, len);
	if (segment->is_vmcore)
		ret = kview_vmcore_read(segment->file, pos, len, to);
	if (!ret)
		ret = vfs_iter_read(segment->file, to, &pos, 0);
	iov_iter_reexpand(to, iov_iter_count(to) + rest);
	return ret ?: -EIO;
}

/**
 * kview_window_at - the window that a mapping has to do with
 * @table: of the view
 * @pos:   where the mapping begins, less than the size of the view
 * @len:   its length, not 0
 *
 * Return: NULL if there is no window in it, the window if all of it is in one, else
 * ERR_PTR(-EINVAL): one mapping cannot be served by two.
 */
const struct kview_segment *kview_window_at(const struct kview_table *table, u64 pos, u64 len)
{
	struct kview_span span;
	u64 end = min(pos + len, table->size);

	kview_table_find(table, pos, &span);
	if (span.segment && span.segment->kind == KVIEW_EXTENT_FILE)
		return len <= span.len ? span.segment : ERR_PTR(-EINVAL);
	while (pos < end) {
		kview_table_find(table, pos, &span);
		if (span.segment && span.segment->kind == KVIEW_EXTENT_FILE)
			return ERR_PTR(-EINVAL);
		pos += span.len;
	}
	return NULL;
}

/**
 * kview_window_mmap - have the file map a part of itself
 * @segment: from kview_window_at()
 * @vma:     of the view, with no right but to read, now or later
 *
 * From then on it is a mapping of that file.
 *
 * Return: 0, -ENODEV if the file cannot be mapped, or what it says.
 */
int kview_window_mmap(const struct kview_segment *segment, struct vm_area_struct *vma)
{
	unsigned long shift = (segment->src >> PAGE_SHIFT) - (segment->off >> PAGE_SHIFT);

	if (!kview_compat_can_mmap(segment->file))
		return -ENODEV;
	vma->vm_pgoff += shift;
	vma_set_file(vma, segment->file);
	return kview_compat_mmap(segment->file, vma);
}
