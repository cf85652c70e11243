/* SPDX-License-Identifier: GPL-2.0-only */
/* A view: one table as one file. */
#ifndef KVIEW_VIEW_H
#define KVIEW_VIEW_H

#include <linux/fs.h>
#include <linux/list.h>

struct kview_table;

/**
 * struct kview_view - i_private of a view's inode; lives and dies with it
 * @table:   what it shows; owned
 * @mapping: the inode's, to zap
 * @list:    in the list of views of vma.c; under its lock
 * @zap:     chosen to be zapped; under the same lock
 * @mapped:  not 0 if pages were mapped since the last zap began; see vma.c
 * @giant:   GIANT_* of vma.c: what has become of entries of 1 GiB
 */
struct kview_view {
	struct kview_table *table;
	struct address_space *mapping;
	struct list_head list;
	bool zap;
	int mapped;
	int giant;
};

static inline struct kview_view *kview_view_of(const struct file *file)
{
	return file_inode(file)->i_private;
}

#endif /* KVIEW_VIEW_H */
