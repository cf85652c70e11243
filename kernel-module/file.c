// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pseudo filesystem exists while somebody has the control device or a view open. Its
 * superblock holds the module, so the module cannot go while an inode is left: the last
 * reference to a file or a VMA may be dropped long after the file's own hold on the
 * module is.
 */
#include "file.h"

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>

#include "compat.h"
#include "extent.h"
#include "page.h"
#include "read.h"
#include "table.h"
#include "view.h"
#include "vma.h"

#define KVIEW_SUPER_MAGIC 0x6b766977	/* "kviw" */

static struct vfsmount *mount;
static int mount_count;
static atomic_t nr_views = ATOMIC_INIT(0);

/* Every read is direct, and none waits for I/O but that of a window. */
static fmode_t read_modes(const struct kview_table *table)
{
	return FMODE_CAN_ODIRECT | (table->has_file ? 0 : FMODE_NOWAIT);
}

/*
 * A view may be opened again, through /proc/PID/fd or by FUSE for each open of a file
 * that it backs. The modes and capabilities of the opener were checked by those; what is
 * left is what /proc/kcore checks too at each open, and that nobody gets in for writing.
 */
static int view_open(struct inode *inode, struct file *file)
{
	const struct kview_view *view = inode->i_private;

	if (file->f_mode & FMODE_WRITE)
		return -EPERM;
	if (view->table->has_ram && kview_page_refusals())
		return -EPERM;
	file->f_mode |= read_modes(view->table);
	return 0;
}

/* Where data begins, or ends, at or after @pos. The end of a view counts as a hole. */
static loff_t seek_span(const struct kview_table *table, u64 pos, bool data)
{
	struct kview_span span;

	while (pos < table->size) {
		kview_table_find(table, pos, &span);
		if (!span.segment != data)
			return pos;
		pos += span.len;
	}
	return data ? -ENXIO : table->size;
}

static loff_t view_llseek(struct file *file, loff_t offset, int whence)
{
	const struct kview_table *table = kview_view_of(file)->table;

	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		if (offset < 0 || offset >= table->size)
			return -ENXIO;
		offset = seek_span(table, offset, whence == SEEK_DATA);
		return offset < 0 ? offset : vfs_setpos(file, offset, table->size);
	}
	return generic_file_llseek_size(file, offset, whence, MAX_LFS_FILESIZE, table->size);
}

static const struct file_operations view_fops = {
	.owner		= THIS_MODULE,
	.open		= view_open,
	.llseek		= view_llseek,
	.read_iter	= kview_read_iter,
	.splice_read	= kview_compat_splice_read,
	.mmap		= kview_vma_mmap,
	.get_unmapped_area = thp_get_unmapped_area,	/* NULL without huge pages */
};

static void evict_inode(struct inode *inode)
{
	struct kview_view *view = inode->i_private;

	if (view)
		kview_vma_remove_view(view);
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (!view)
		return;
	kview_table_destroy(view->table);
	kfree(view);
	atomic_dec(&nr_views);
}

static const struct super_operations super_ops = {
	.statfs		= simple_statfs,
	.evict_inode	= evict_inode,
};

static int init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, KVIEW_SUPER_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &super_ops;
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	return 0;
}

static struct file_system_type fs_type = {
	.owner		 = THIS_MODULE,
	.name		 = "kview",
	.init_fs_context = init_fs_context,
	.kill_sb	 = kill_anon_super,
};

/**
 * kview_file_pin - keep the filesystem there
 *
 * Return: 0, and kview_file_unpin() is due, or -errno.
 */
int kview_file_pin(void)
{
	return simple_pin_fs(&fs_type, &mount, &mount_count);
}

/** kview_file_unpin - undo one kview_file_pin() */
void kview_file_unpin(void)
{
	simple_release_fs(&mount, &mount_count);
}

/* Bytes that come from somewhere, for st_blocks. */
static loff_t data_bytes(const struct kview_table *table)
{
	loff_t bytes = 0;
	unsigned int i;

	for (i = 0; i < table->nr; i++)
		bytes += table->segment[i].len;
	return bytes;
}

/* An inode with a view in it; takes @table over if it succeeds. */
static struct inode *new_view(struct kview_table *table)
{
	struct kview_view *view = kzalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	struct inode *inode;

	if (!view)
		return ERR_PTR(-ENOMEM);
	inode = new_inode(mount->mnt_sb);
	if (!inode) {
		kfree(view);
		return ERR_PTR(-ENOMEM);
	}

	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFREG | 0400;
	inode->i_fop = &view_fops;
	kview_compat_init_times(inode);
	i_size_write(inode, table->size);
	inode_set_bytes(inode, data_bytes(table));
	/* No labels to check, and nothing to change: not the size, the mode or the times. */
	inode->i_flags |= S_PRIVATE | S_IMMUTABLE;

	view->table = table;
	view->mapping = inode->i_mapping;
	inode->i_private = view;
	atomic_inc(&nr_views);
	kview_vma_add_view(view);
	return inode;
}

/**
 * kview_file_create - make a view
 * @table: what it shows; consumed if it succeeds
 * @name:  what /proc/PID/fd shows
 *
 * Context: the filesystem is pinned.
 * Return: the file, open for reading, or an ERR_PTR().
 */
struct file *kview_file_create(struct kview_table *table, const char *name)
{
	struct inode *inode;
	struct file *file;

	inode = new_view(table);
	if (IS_ERR(inode))
		return ERR_CAST(inode);

	/* The file's hold on the module, which open(2) would have taken. */
	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(inode, mount, name, O_RDONLY | O_LARGEFILE, &view_fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		/* The table stays the caller's. */
		((struct kview_view *)inode->i_private)->table = NULL;
		iput(inode);
		return file;
	}
	/* As open(2) does for a regular file. */
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_ATOMIC_POS | read_modes(table);
	return file;
}

/**
 * kview_file_is_view - is this one of ours
 * @file: any file
 *
 * Return: whether it is.
 */
bool kview_file_is_view(const struct file *file)
{
	return file->f_op == &view_fops;
}

/**
 * kview_file_nr_views - how many views exist
 *
 * Return: their number, a moment ago.
 */
unsigned int kview_file_nr_views(void)
{
	return atomic_read(&nr_views);
}
