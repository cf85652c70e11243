/* SPDX-License-Identifier: GPL-2.0-only */
/* Mapping a view: ->mmap and page faults. Lock order: revoke.h. */
#ifndef KVIEW_VMA_H
#define KVIEW_VMA_H

struct file;
struct vm_area_struct;

int kview_vma_mmap(struct file *file, struct vm_area_struct *vma);

#endif /* KVIEW_VMA_H */
