/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mapping a view.
 *
 * Lock order, outermost first: mmap_lock or a VMA's own lock, block_locks[] of vma.c,
 * a section of page.c, page table locks. And: the memory hotplug lock, ram_lock of
 * page.c or views_lock of vma.c, i_mmap_rwsem, page table locks; views_lock after
 * mmap_lock, too. Sections are waited for under ram_lock and views_lock, so neither is
 * ever taken in a section; nor is mmap_lock, as views_lock may be under it.
 */
#ifndef KVIEW_VMA_H
#define KVIEW_VMA_H

struct file;
struct kview_view;
struct vm_area_struct;

int kview_vma_init(void);
void kview_vma_exit(void);

void kview_vma_add_view(struct kview_view *view);
void kview_vma_remove_view(struct kview_view *view);

int kview_vma_mmap(struct file *file, struct vm_area_struct *vma);
void kview_vma_zap_all(void);
unsigned int kview_vma_revalidate_ms(void);

#endif /* KVIEW_VMA_H */
