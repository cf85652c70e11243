// SPDX-License-Identifier: GPL-2.0-only
#include "vma.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "arch.h"
#include "backstop.h"
#include "block.h"
#include "compat.h"
#include "kview.h"
#include "page.h"
#include "revoke.h"
#include "table.h"
#include "trace.h"
#include "view.h"

/* Most blocks that a fault judges to map pages around the one that is wanted. */
#define MAX_BLOCKS 4
/* How often a fault judges a block again at once, before it is repeated. */
#define MAX_TRIES 3

/**
 * struct fill - a fault that fills the page table, or the huge entry, of 2 MiB
 * @list: in the view's list
 * @pmd:  the entry for these 2 MiB; one fault has it at a time
 *
 * It saves other faults of the same 2 MiB the verdict, and keeps small entries from being
 * inserted where another thread has just inserted a huge one (VM_BUG_ON() in walk_to_pmd()).
 */
struct fill {
	struct list_head list;
	const pmd_t *pmd;
};

static bool is_filled(const struct kview_view *view, const pmd_t *pmd)
{
	const struct fill *fill;

	list_for_each_entry(fill, &view->fills, list)
		if (fill->pmd == pmd)
			return true;
	return false;
}

static void begin_fill(struct kview_view *view, struct fill *fill, const pmd_t *pmd)
{
	fill->pmd = pmd;
	spin_lock(&view->fills_lock);
	wait_event_cmd(view->fills_wait, !is_filled(view, pmd), spin_unlock(&view->fills_lock),
		       spin_lock(&view->fills_lock));
	list_add(&fill->list, &view->fills);
	spin_unlock(&view->fills_lock);
}

static void end_fill(struct kview_view *view, struct fill *fill)
{
	spin_lock(&view->fills_lock);
	list_del(&fill->list);
	spin_unlock(&view->fills_lock);
	if (wq_has_sleeper(&view->fills_wait))
		wake_up_all(&view->fills_wait);
}

static struct kview_view *view_of(const struct vm_area_struct *vma)
{
	return kview_view_of(vma->vm_file);
}

/* Offset in the view of the byte at @addr. */
static u64 pos_of(const struct vm_area_struct *vma, unsigned long addr)
{
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
}

/*
 * Ends a fault without the page: the access is repeated. It comes back when the thread has
 * handled the event that stood in the way.
 */
static vm_fault_t repeat_fault(void)
{
	schedule_timeout_uninterruptible(1);
	return VM_FAULT_NOPAGE;
}

/**
 * struct judged - the last block that a fault has judged
 * @nr:         number of blocks that were judged
 * @block:      its number, if @nr is not 0
 * @generation: read before the verdict
 * @verdict:    the verdict
 */
struct judged {
	unsigned int nr;
	unsigned long block;
	unsigned int generation;
	struct kview_verdict verdict;
};

static void judge(struct judged *judged, unsigned long block)
{
	judged->nr++;
	judged->block = block;
	judged->generation = kview_block_generation(block);
	kview_page_judge_block(block, &judged->verdict);
	trace_kview_judge(block, judged->verdict.sum, -1);
}

/* Ends an insertion, and has the thread look at the block if that was asked for. */
static void commit_done(unsigned long block)
{
	bool look = kview_block_wants_look(block);

	kview_block_done(block);
	kview_backstop_arm();
	if (look)
		kview_revoke_wake(true);
}

/**
 * struct insert - pages to insert by kview_vma_insert_pte()
 * @mm:   of the VMA
 * @prot: its protection
 * @addr: address of the first page
 * @pfn:  its frame
 * @code: codes of the pages; NULL if all are to be inserted with @prot
 */
struct insert {
	struct mm_struct *mm;
	pgprot_t prot;
	unsigned long addr;
	unsigned long pfn;
	const u8 *code;
};

/*
 * Inserts one page; zeros for a hidden one. Unlike vmf_insert_pfn() it does not ask x86's PAT
 * code for the memory type, which takes a global lock for each page and says uncached below
 * 640 KiB: the entry has the type of the kernel's own.
 */
static int kview_vma_insert_pte(pte_t *pte, unsigned long addr, void *arg)
{
	const struct insert *insert = arg;
	unsigned long i = (addr - insert->addr) >> PAGE_SHIFT;
	unsigned long pfn = insert->pfn + i;
	pgprot_t prot = insert->prot;

	if (!pte_none(ptep_get(pte)))
		return 0;
	if (insert->code && insert->code[i] == KVIEW_ARCH_ABSENT)
		pfn = page_to_pfn(ZERO_PAGE(0));
	else if (insert->code)
		prot = kview_arch_prot(prot, insert->code[i]);
	set_pte_at(insert->mm, addr, pte, pte_mkspecial(pfn_pte(pfn, prot)));
	return 0;
}

static int kview_vma_insert_zero(pte_t *pte, unsigned long addr, void *arg)
{
	const struct insert *insert = arg;

	if (pte_none(ptep_get(pte)))
		set_pte_at(insert->mm, addr, pte,
			   pte_mkspecial(pfn_pte(page_to_pfn(ZERO_PAGE(0)), insert->prot)));
	return 0;
}

static int kview_vma_is_present(pte_t *pte, unsigned long addr, void *arg)
{
	*(bool *)arg = !pte_none(ptep_get(pte));
	return 0;
}

/* Inserts [addr, addr + len) of a RAM extent, inside one block. Returns false to repeat. */
static bool insert_ram(struct judged *judged, struct insert *insert, u64 paddr,
		       unsigned long vaddr, unsigned long len)
{
	unsigned long block = PHYS_PFN(paddr) >> KVIEW_BLOCK_SHIFT;
	unsigned int first = PHYS_PFN(paddr) % KVIEW_BLOCK_PAGES;
	unsigned int tries = 0, nr = len >> PAGE_SHIFT;
	u8 code[KVIEW_BLOCK_PAGES];

	insert->pfn = PHYS_PFN(paddr);
	do {
		if (tries || !judged->nr || judged->block != block)
			judge(judged, block);
		insert->code = judged->verdict.code + first;
		if (vaddr) {
			memcpy(code, insert->code, nr);
			kview_page_hide_image(vaddr, code, nr);
			insert->code = code;
		}
		if (kview_block_commit(block, judged->generation, judged->verdict.sum)) {
			apply_to_page_range(insert->mm, insert->addr, len, kview_vma_insert_pte,
					    insert);
			commit_done(block);
			return true;
		}
	} while (++tries < MAX_TRIES);
	/* Another verdict is in force: the thread decides. */
	if (kview_block_event(block, KVIEW_CAUSE_CONFLICT, false))
		kview_revoke_wake(false);
	return false;
}

/* Inserts what is in [start, end), which is inside the view. Returns false if it stopped. */
static bool insert_range(struct vm_area_struct *vma, struct judged *judged, unsigned long start,
			 unsigned long end)
{
	const struct kview_table *table = view_of(vma)->table;
	struct insert insert = { .mm = vma->vm_mm, .prot = vma->vm_page_prot };
	const struct kview_table_extent *extent;
	struct kview_span span;
	unsigned long len;
	u64 paddr;

	for (; start < end; start += len) {
		kview_table_find(table, pos_of(vma, start), &span);
		extent = span.extent;
		len = min_t(u64, end - start, PAGE_ALIGN(span.len));
		insert.addr = start;
		insert.code = NULL;
		if (!extent) {
			apply_to_page_range(insert.mm, start, len, kview_vma_insert_zero, &insert);
			continue;
		}
		if (extent->kind == KVIEW_EXTENT_BLOB) {
			insert.pfn = page_to_pfn(virt_to_page(extent->blob + span.skip));
			apply_to_page_range(insert.mm, start, len, kview_vma_insert_pte, &insert);
			continue;
		}
		paddr = extent->paddr + span.skip;
		len = min_t(u64, len, PMD_SIZE - (paddr & ~PMD_MASK));
		if (judged->nr >= MAX_BLOCKS && PHYS_PFN(paddr) >> KVIEW_BLOCK_SHIFT != judged->block)
			return false;
		if (!insert_ram(judged, &insert, paddr,
				extent->vaddr ? extent->vaddr + span.skip : 0, len))
			return false;
	}
	return true;
}

/* Maps the page that is wanted with what follows, then what is before it in the same 2 MiB. */
static vm_fault_t map_around(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address & PAGE_MASK;
	unsigned long start = max(addr & PMD_MASK, vma->vm_start);
	/* The block may be the last of the address space. */
	unsigned long end = min((addr | ~PMD_MASK), vma->vm_end - 1) + 1;
	u64 left = PAGE_ALIGN(view_of(vma)->table->size) - pos_of(vma, addr);
	struct judged judged = { };
	bool present = false;

	if (left < end - addr)
		end = addr + left;
	/*
	 * Allocates the page table, so that nothing is allocated between commit and done. Only
	 * munmap() frees it: madvise() refuses VM_PFNMAP.
	 */
	if (apply_to_page_range(vma->vm_mm, addr, PAGE_SIZE, kview_vma_is_present, &present))
		return VM_FAULT_OOM;
	if (present)
		return VM_FAULT_NOPAGE;
	insert_range(vma, &judged, addr, end);
	apply_to_page_range(vma->vm_mm, addr, PAGE_SIZE, kview_vma_is_present, &present);
	if (!present)
		return repeat_fault();
	insert_range(vma, &judged, start, addr);
	return VM_FAULT_NOPAGE;
}

/* Tells whether RAM at a position of a view must not be mapped at the moment. */
static bool is_held(const struct kview_table *table, u64 pos)
{
	struct kview_span span;

	kview_table_find(table, pos, &span);
	return span.extent && span.extent->kind == KVIEW_EXTENT_RAM &&
	       kview_block_is_held(PHYS_PFN(span.extent->paddr + span.skip) >> KVIEW_BLOCK_SHIFT);
}

static vm_fault_t kview_vma_fault(struct vm_fault *vmf)
{
	struct kview_view *view = view_of(vmf->vma);
	u64 pos = pos_of(vmf->vma, vmf->address & PAGE_MASK);
	vm_fault_t ret = VM_FAULT_NOPAGE;
	struct fill fill;

	if (pos >= view->table->size)
		return VM_FAULT_SIGBUS;
	if (is_held(view->table, pos))
		return repeat_fault();
	begin_fill(view, &fill, vmf->pmd);
	if (!pmd_leaf(READ_ONCE(*vmf->pmd)))
		ret = map_around(vmf);
	end_fill(view, &fill);
	return ret;
}

/*
 * The block that one huge entry at @addr would map. Sets *vaddr to its address in the mapping
 * of the kernel image, or 0. Returns false if the VMA or the view does not allow such an entry.
 */
static bool find_block(const struct vm_area_struct *vma, unsigned long addr, unsigned long *block,
		       unsigned long *vaddr)
{
	const struct kview_table *table = view_of(vma)->table;
	struct kview_span span;
	u64 paddr;

	if (addr < vma->vm_start || PMD_SIZE > vma->vm_end - addr ||
	    pos_of(vma, addr) >= table->size)
		return false;
	kview_table_find(table, pos_of(vma, addr), &span);
	if (!span.extent || span.extent->kind != KVIEW_EXTENT_RAM || span.len < PMD_SIZE)
		return false;
	paddr = span.extent->paddr + span.skip;
	*block = PHYS_PFN(paddr) >> KVIEW_BLOCK_SHIFT;
	*vaddr = span.extent->vaddr ? span.extent->vaddr + span.skip : 0;
	return IS_ALIGNED(paddr, PMD_SIZE);
}

static vm_fault_t map_block(struct vm_fault *vmf, unsigned long block, unsigned long vaddr)
{
	struct judged judged = { };
	vm_fault_t ret;

	do {
		judge(&judged, block);
		if (judged.verdict.sum != KVIEW_SUM_FULL)
			return VM_FAULT_FALLBACK;
		if (vaddr) {
			kview_page_hide_image(vaddr, judged.verdict.code, KVIEW_BLOCK_PAGES);
			if (memchr(judged.verdict.code, KVIEW_ARCH_ABSENT, KVIEW_BLOCK_PAGES))
				return VM_FAULT_FALLBACK;
		}
		if (kview_block_commit(block, judged.generation, judged.verdict.sum)) {
			ret = kview_compat_insert_block(vmf, block << KVIEW_BLOCK_SHIFT);
			commit_done(block);
			return ret;
		}
	} while (judged.nr < MAX_TRIES);
	if (kview_block_event(block, KVIEW_CAUSE_CONFLICT, false))
		kview_revoke_wake(false);
	return repeat_fault();
}

/* Not used where the kernel has no huge entries for page frames; compat.h. */
static vm_fault_t __maybe_unused kview_vma_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct kview_view *view = view_of(vmf->vma);
	unsigned long block, vaddr;
	vm_fault_t ret;
	struct fill fill;
	pmd_t pmd;

	if (order != KVIEW_BLOCK_SHIFT ||
	    !find_block(vmf->vma, vmf->address & PMD_MASK, &block, &vaddr))
		return VM_FAULT_FALLBACK;
	if (kview_block_is_held(block))
		return repeat_fault();

	begin_fill(view, &fill, vmf->pmd);
	pmd = READ_ONCE(*vmf->pmd);
	if (pmd_none(pmd))
		ret = map_block(vmf, block, vaddr);
	else
		ret = pmd_leaf(pmd) ? VM_FAULT_NOPAGE : VM_FAULT_FALLBACK;
	end_fill(view, &fill);
	return ret;
}

static void kview_vma_open(struct vm_area_struct *vma)
{
	kview_revoke_opened();
}

static void kview_vma_close(struct vm_area_struct *vma)
{
	kview_revoke_closed();
}

static const struct vm_operations_struct kview_vm_ops = {
	.open = kview_vma_open,
	.close = kview_vma_close,
	.fault = kview_vma_fault,
	KVIEW_COMPAT_HUGE_FAULT(kview_vma_huge_fault)
};

/**
 * kview_vma_mmap - ->mmap of a view
 * @file: the view
 * @vma:  not linked yet
 *
 * Return: 0; -ENODEV if the view cannot be mapped, or none can on this kernel; -EACCES if
 * more than reading is asked for; -EPERM if lockdown=confidentiality came into force after
 * the open; -EINVAL if it is partly in a window; the error of a window's file.
 */
int kview_vma_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct kview_table *table = kview_view_of(file)->table;
	const struct kview_table_extent *window;

	if (!table->mappable)
		return -ENODEV;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;
	if (table->has_file && pos_of(vma, vma->vm_start) < table->size) {
		window = kview_table_window_at(table, pos_of(vma, vma->vm_start),
					       vma->vm_end - vma->vm_start);
		if (IS_ERR(window))
			return PTR_ERR(window);
		if (window) {
			/* mremap() must not extend the mapping past the window. */
			kview_compat_vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP,
						  VM_MAYWRITE | VM_MAYEXEC);
			return kview_window_mmap(&window->window, window->off, vma);
		}
	}
	if (!kview_compat_may_map())
		return -ENODEV;
	if (table->has_ram && kview_page_refusals())
		return -EPERM;

	/*
	 * Without VM_MAYWRITE a private mapping is not copy-on-write, which VM_PFNMAP does not
	 * allow for frames of others. VM_HUGEPAGE because huge entries cost no memory here.
	 */
	kview_compat_vm_flags_mod(vma,
				  VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP |
				  (KVIEW_HAVE_HUGE_PMD ? VM_HUGEPAGE : 0),
				  VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &kview_vm_ops;
	kview_revoke_opened();
	return 0;
}
