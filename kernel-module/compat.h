/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels, 6.1 to 7.3. No other file of the module tests a kernel version
 * or a symbol that only some kernels have.
 */
#ifndef KVIEW_COMPAT_H
#define KVIEW_COMPAT_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/page_table_check.h>
#include <linux/version.h>

#ifndef CONFIG_X86_64
#error "kview reads the page tables of x86-64; it knows no other architecture"
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "kview needs Linux 6.1 or later"
#endif

/* 6.3 made vma->vm_flags const and added accessors that check mmap_lock. */
static inline void kview_compat_vm_flags_mod(struct vm_area_struct *vma,
					     unsigned long set, unsigned long clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

/* 6.5 separated the splice that uses ->read_iter from the one that uses the page cache. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define kview_compat_splice_read copy_splice_read
#else
#define kview_compat_splice_read generic_file_splice_read
#endif

/* 6.6 made the times of struct inode private. */
static inline void kview_compat_init_times(struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	simple_inode_init_ts(inode);
#else
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
#endif
}

/*
 * Mapping another file. 6.16 added ->mmap_prepare; the function that handles ->mmap and
 * ->mmap_prepare was renamed in 6.17.
 */
static inline bool kview_compat_can_mmap(struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return can_mmap_file(file);
#else
	return file->f_op->mmap;
#endif
}

static inline int kview_compat_mmap(struct file *file, struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return vfs_mmap(file, vma);
#else
	return call_mmap(file, vma);
#endif
}

/*
 * Tells whether the kernel accepts user mappings of pages that are in use as something else.
 * With page_table_check=on it stops (BUG) at such a mapping: at huge entries in all kernels,
 * at any entry in kernels whose check includes special entries (6.12.117).
 */
static inline bool kview_compat_may_map(void)
{
#ifdef CONFIG_PAGE_TABLE_CHECK
	return static_branch_likely(&page_table_check_disabled);
#else
	return true;
#endif
}

/*
 * Huge entries for pages that the mapping does not own came with 6.12. Before, such an entry
 * looked like one of a reference-counted page, and get_user_pages_fast() would have taken
 * references: mappings have 4 KiB entries only.
 */
#if defined(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP) && defined(CONFIG_TRANSPARENT_HUGEPAGE)
#define KVIEW_HAVE_HUGE_PMD 1
#else
#define KVIEW_HAVE_HUGE_PMD 0
#endif
#if KVIEW_HAVE_HUGE_PMD && defined(CONFIG_ARCH_SUPPORTS_PUD_PFNMAP) && \
	defined(CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD)
#define KVIEW_HAVE_HUGE_PUD 1
#else
#define KVIEW_HAVE_HUGE_PUD 0
#endif

#if KVIEW_HAVE_HUGE_PMD
/* pfn_t and its header went away in the 6.17 cycle. */
#if __has_include(<linux/pfn_t.h>)
#include <linux/pfn_t.h>
#define kview_compat_pfn(pfn) __pfn_to_pfn_t(pfn, PFN_DEV)
#else
#define kview_compat_pfn(pfn) (pfn)
#endif
#endif

/* Maps 1 << order pages by one entry. VM_FAULT_FALLBACK: the kernel has no entry of that size. */
static inline vm_fault_t kview_compat_insert_block(struct vm_fault *vmf, unsigned long pfn,
						   unsigned int order)
{
#if KVIEW_HAVE_HUGE_PMD
	if (order == PMD_SHIFT - PAGE_SHIFT)
		return vmf_insert_pfn_pmd(vmf, kview_compat_pfn(pfn), false);
#endif
#if KVIEW_HAVE_HUGE_PUD
	if (order == PUD_SHIFT - PAGE_SHIFT)
		return vmf_insert_pfn_pud(vmf, kview_compat_pfn(pfn), false);
#endif
	return VM_FAULT_FALLBACK;
}

/* The member of vm_operations_struct that inserts huge entries; empty if there are none. */
#if KVIEW_HAVE_HUGE_PMD
#define KVIEW_COMPAT_HUGE_FAULT(handler) .huge_fault = (handler),
#else
#define KVIEW_COMPAT_HUGE_FAULT(handler)
#endif

#endif /* KVIEW_COMPAT_H */
