/* SPDX-License-Identifier: GPL-2.0-only */
/* A view: a table shown as one read-only regular file. */
#ifndef KVIEW_VIEW_H
#define KVIEW_VIEW_H

#include <linux/fs.h>
#include <linux/list.h>

struct kview_table;

/* Magic number of the superblock that all views share: "kviw". */
#define KVIEW_SUPER_MAGIC 0x6b766977

/**
 * struct kview_view - i_private of a view's inode; freed with the inode
 * @table:   what the view shows; owned
 * @mapping: the inode's address space, through which its mappings are unmapped
 * @list:    entry in the list of views of vma.c; under views_lock
 * @zap:     set while vma.c unmaps this view; under views_lock
 * @mapped:  not 0 if pages were mapped since the last unmapping began
 * @giant:   GIANT_* of vma.c: the state of entries of 1 GiB
 */
struct kview_view {
	struct kview_table *table;
	struct address_space *mapping;
	struct list_head list;
	bool zap;
	int mapped;
	int giant;
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
