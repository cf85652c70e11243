/* SPDX-License-Identifier: GPL-2.0-only */
/* Views as regular files, on a pseudo filesystem that nobody can mount. */
#ifndef KVIEW_FILE_H
#define KVIEW_FILE_H

#include <linux/types.h>

struct file;
struct kview_table;

int kview_file_pin(void);
void kview_file_unpin(void);

struct file *kview_file_create(struct kview_table *table, const char *name);
bool kview_file_is_view(const struct file *file);
unsigned int kview_file_nr_views(void);

#endif /* KVIEW_FILE_H */
