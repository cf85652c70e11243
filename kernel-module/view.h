/* SPDX-License-Identifier: GPL-2.0-only */
/* A view: a table shown as one read-only regular file. */
#ifndef KVIEW_VIEW_H
#define KVIEW_VIEW_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct kview_table;

/* Magic number of the superblock that all views share: "kviw". */
#define KVIEW_SUPER_MAGIC 0x6b766977

/**
 * struct kview_view - i_private of a view's inode; freed with the inode
 * @table:      what the view shows; owned
 * @mapping:    the inode's address space, through which its mappings are unmapped
 * @list:       entry in the list of views of revoke.c; under its lock
 * @busy:       set while the thread of revoke.c works on the view; under the same lock
 * @fills:      faults that fill a page table now, struct fill of vma.c; under @fills_lock
 * @fills_lock: leaf
 * @fills_wait: woken when a fault leaves @fills
 */
struct kview_view {
	struct kview_table *table;
	struct address_space *mapping;
	struct list_head list;
	bool busy;
	struct list_head fills;
	spinlock_t fills_lock;
	wait_queue_head_t fills_wait;
};

/** kview_view_of - the view that a file shows; @file must be a view */
static inline struct kview_view *kview_view_of(const struct file *file)
{
	return file_inode(file)->i_private;
}

/** kview_view_is - tells whether @file is a view of this module */
static inline bool kview_view_is(const struct file *file)
{
	return file_inode(file)->i_sb->s_magic == KVIEW_SUPER_MAGIC;
}

#endif /* KVIEW_VIEW_H */
