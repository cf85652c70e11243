/* SPDX-License-Identifier: GPL-2.0-only */
/* Views as regular files of a pseudo file system that cannot be mounted. */
#ifndef KVIEW_FILE_H
#define KVIEW_FILE_H

#include <linux/types.h>

struct file;
struct kview_table;

int kview_file_pin(void);
void kview_file_unpin(void);

struct file *kview_file_create(struct kview_table *table, const char *name);
unsigned int kview_file_nr_views(void);

#endif /* KVIEW_FILE_H */
