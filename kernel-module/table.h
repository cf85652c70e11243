/* SPDX-License-Identifier: GPL-2.0-only */
/* From a caller's KVIEW_IOC_CREATE to the table of a view. */
#ifndef KVIEW_TABLE_H
#define KVIEW_TABLE_H

#include <linux/types.h>

struct kview_create;
struct kview_table;

u64 kview_table_image_delta(void);
struct kview_table *kview_table_create(const struct kview_create *request);
void kview_table_destroy(struct kview_table *table);

#endif /* KVIEW_TABLE_H */
