// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pseudo file system exists while the control device or a view is open. Its superblock
 * holds the module, so the module stays while an inode is left. The file's own reference to
 * the module is not enough: fput() drops it before the last reference to the inode.
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
#include "page.h"
#include "read.h"
#include "revoke.h"
#include "table.h"
#include "view.h"
#include "vma.h"

static struct vfsmount *mount;
static int mount_count;
static atomic_t nr_views = ATOMIC_INIT(0);

/* Every read is direct, and only reads of windows wait for I/O. */
static fmode_t kview_file_read_modes(const struct kview_table *table)
{
	return FMODE_CAN_ODIRECT | (table->has_file ? 0 : FMODE_NOWAIT);
}

/*
 * A view is opened again through /proc/PID/fd, and by FUSE for each open of a file that it
 * backs. These have checked modes and capabilities. Left to check are lockdown, as
 * open_kcore() does, and that the open is not for writing.
 */
static int kview_view_open(struct inode *inode, struct file *file)
{
	const struct kview_view *view = inode->i_private;

	if (file->f_mode & FMODE_WRITE)
		return -EPERM;
	if (view->table->has_ram && kview_page_refusals())
		return -EPERM;
	file->f_mode |= kview_file_read_modes(view->table);
	return 0;
}

/* The first offset from @pos on that is in an extent, or in a hole. The end is a hole. */
static loff_t kview_file_seek(const struct kview_table *table, u64 pos, bool data)
{
	struct kview_span span;

	while (pos < table->size) {
		kview_table_find(table, pos, &span);
		if (!span.extent != data)
			return pos;
		pos += span.len;
	}
	return data ? -ENXIO : table->size;
}

static loff_t kview_view_llseek(struct file *file, loff_t offset, int whence)
{
	const struct kview_table *table = kview_view_of(file)->table;

	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		if (offset < 0 || offset >= table->size)
			return -ENXIO;
		offset = kview_file_seek(table, offset, whence == SEEK_DATA);
		return offset < 0 ? offset : vfs_setpos(file, offset, table->size);
	}
	return generic_file_llseek_size(file, offset, whence, MAX_LFS_FILESIZE, table->size);
}

static const struct file_operations kview_view_fops = {
	.owner		= THIS_MODULE,
	.open		= kview_view_open,
	.llseek		= kview_view_llseek,
	.read_iter	= kview_read_iter,
	.splice_read	= kview_compat_splice_read,
	.mmap		= kview_vma_mmap,
	.get_unmapped_area = thp_get_unmapped_area,	/* NULL if the kernel has no THP */
};

static void kview_file_evict_inode(struct inode *inode)
{
	struct kview_view *view = inode->i_private;

	if (view)
		kview_revoke_remove_view(view);
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (!view)
		return;
	kview_table_destroy(view->table);
	kfree(view);
	atomic_dec(&nr_views);
}

static const struct super_operations kview_super_ops = {
	.statfs		= simple_statfs,
	.evict_inode	= kview_file_evict_inode,
};

static int kview_file_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, KVIEW_SUPER_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &kview_super_ops;
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	return 0;
}

static struct file_system_type kview_fs_type = {
	.owner		 = THIS_MODULE,
	.name		 = "kview",
	.init_fs_context = kview_file_init_fs_context,
	.kill_sb	 = kill_anon_super,
};

/**
 * kview_file_pin - take a reference to the pseudo file system
 *
 * Return: 0, and kview_file_unpin() is due, or -errno.
 */
int kview_file_pin(void)
{
	return simple_pin_fs(&kview_fs_type, &mount, &mount_count);
}

/** kview_file_unpin - drop the reference that kview_file_pin() took */
void kview_file_unpin(void)
{
	simple_release_fs(&mount, &mount_count);
}

/* Bytes of a view that are in extents, for st_blocks. */
static loff_t kview_file_data_bytes(const struct kview_table *table)
{
	loff_t bytes = 0;
	unsigned int i;

	for (i = 0; i < table->nr; i++)
		bytes += table->extent[i].len;
	return bytes;
}

/* Creates an inode with its view; consumes @table on success. */
static struct inode *kview_file_new_view(struct kview_table *table)
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
	inode->i_fop = &kview_view_fops;
	kview_compat_init_times(inode);
	i_size_write(inode, table->size);
	inode_set_bytes(inode, kview_file_data_bytes(table));
	/* Size, mode and times cannot be changed. Not S_PRIVATE: LSMs check each use. */
	inode->i_flags |= S_IMMUTABLE;

	view->table = table;
	view->mapping = inode->i_mapping;
	INIT_LIST_HEAD(&view->fills);
	spin_lock_init(&view->fills_lock);
	init_waitqueue_head(&view->fills_wait);
	inode->i_private = view;
	atomic_inc(&nr_views);
	kview_revoke_add_view(view);
	return inode;
}

/**
 * kview_file_create - create a view
 * @table: what it shows; consumed on success
 * @name:  its name in /proc/PID/fd
 *
 * Context: the caller holds a reference from kview_file_pin().
 * Return: the file, open for reading, or an ERR_PTR().
 */
struct file *kview_file_create(struct kview_table *table, const char *name)
{
	struct inode *inode;
	struct file *file;

	inode = kview_file_new_view(table);
	if (IS_ERR(inode))
		return ERR_CAST(inode);

	/* alloc_file_pseudo() takes no reference to fops->owner, but __fput() drops one. */
	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(inode, mount, name, O_RDONLY | O_LARGEFILE, &kview_view_fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		/* The caller keeps the table. */
		((struct kview_view *)inode->i_private)->table = NULL;
		iput(inode);
		return file;
	}
	/* do_dentry_open() sets these for a regular file. */
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_ATOMIC_POS | kview_file_read_modes(table);
	return file;
}

/**
 * kview_file_nr_views - count views
 *
 * Return: the number of views that exist; may be out of date.
 */
unsigned int kview_file_nr_views(void)
{
	return atomic_read(&nr_views);
}
