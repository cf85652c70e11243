// SPDX-License-Identifier: GPL-2.0-only
#include "vma.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "kview.h"
#include "page.h"
#include "table.h"
#include "view.h"
#include "window.h"

/*
 * All mapped pages are unmapped every revalidate_ms, and judged when they are touched again:
 * the module does not learn of a page that leaves the direct map (memfd_secret), is ballooned
 * or poisoned. The period bounds the time for which such a page is seen, so it cannot be
 * switched off.
 */
#define REVALIDATE_MS_MIN 50
#define REVALIDATE_MS_MAX 60000
static unsigned int revalidate_ms = 1000;

static struct workqueue_struct *workqueue;
static LIST_HEAD(views);
/* Guards views and, while an inode is on it, that inode against being freed. */
static DEFINE_MUTEX(views_lock);

/*
 * One of these is held while a 2 MiB block of one address space is being filled, by a
 * huge entry or by small ones. The judgement of a block can change from one fault to
 * the next, and vmf_insert_pfn() must not meet a huge entry that another thread has
 * just made (VM_BUG_ON() in walk_to_pmd()). It also saves that thread's work.
 */
#define BLOCK_LOCK_BITS 6
static struct mutex block_locks[1 << BLOCK_LOCK_BITS];

static struct mutex *block_lock(const struct vm_fault *vmf)
{
	unsigned long key = (unsigned long)vmf->vma->vm_mm ^ (vmf->address >> PMD_SHIFT);

	return &block_locks[hash_long(key, BLOCK_LOCK_BITS)];
}

static void kview_vma_zap_mapped(struct work_struct *work);
static DECLARE_DELAYED_WORK(zap_work, kview_vma_zap_mapped);

/*
 * When to zap, in jiffies. The conversion rounds up, and a timer is up to an eighth, or one
 * jiffy, late. What is left of the period is for the work itself: waiting for sections, and
 * zapping.
 */
static unsigned long zap_delay(void)
{
	unsigned int ms = READ_ONCE(revalidate_ms);

	return msecs_to_jiffies(ms - ms / 4) - 2;
}

/*
 * Tells the periodic zap that @view gets mapped pages. In the section in which they are
 * inserted: then either the zap that clears @mapped waits for them, or this sees it
 * cleared. Without faults the work is not queued.
 */
static void note_mapped(struct kview_view *view)
{
	if (!READ_ONCE(view->mapped))
		WRITE_ONCE(view->mapped, 1);
	queue_delayed_work(workqueue, &zap_work, zap_delay());
}

static void kview_vma_zap_mapped(struct work_struct *work)
{
	struct kview_view *view;

	mutex_lock(&views_lock);
	list_for_each_entry(view, &views, list)
		view->zap = xchg(&view->mapped, 0);
	kview_page_synchronize();
	list_for_each_entry(view, &views, list)
		if (view->zap)
			unmap_mapping_range(view->mapping, 0, 0, 1);
	mutex_unlock(&views_lock);
}

/**
 * kview_vma_zap_all - unmap every page of every view, to be judged again when touched
 *
 * Context: may sleep. Pages that are to stay unmapped are forbidden before.
 */
void kview_vma_zap_all(void)
{
	struct kview_view *view;

	mutex_lock(&views_lock);
	list_for_each_entry(view, &views, list)
		unmap_mapping_range(view->mapping, 0, 0, 1);
	mutex_unlock(&views_lock);
}

/**
 * kview_vma_add_view - let a view be zapped from now on
 * @view: with its mapping set
 */
void kview_vma_add_view(struct kview_view *view)
{
	mutex_lock(&views_lock);
	list_add_tail(&view->list, &views);
	mutex_unlock(&views_lock);
}

/**
 * kview_vma_remove_view - undo kview_vma_add_view()
 * @view: nothing maps it any more
 *
 * Context: may sleep, for as long as a zap of all views takes.
 */
void kview_vma_remove_view(struct kview_view *view)
{
	mutex_lock(&views_lock);
	list_del(&view->list);
	mutex_unlock(&views_lock);
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

/**
 * struct frames - what is to be mapped from some address on
 * @pfn:  the first page frame
 * @step: 1 if the frames are consecutive, 0 if it is @pfn each time
 * @nr:   number of pages
 */
struct frames {
	unsigned long pfn;
	unsigned int step;
	unsigned long nr;
};

/* What to map at @pos, for at most @max pages. In a section. */
static void find_frames(const struct kview_table *table, u64 pos, unsigned long max,
			struct frames *frames)
{
	const struct kview_table_extent *extent;
	struct kview_span span;
	long nr;

	kview_table_find(table, pos, &span);
	extent = span.extent;
	max = min_t(u64, max, DIV_ROUND_UP(span.len, PAGE_SIZE));

	if (!extent) {
		nr = -max;
	} else if (extent->kind == KVIEW_EXTENT_BLOB) {
		frames->pfn = page_to_pfn(virt_to_page(extent->blob + span.skip));
		nr = max;
	} else {
		frames->pfn = PHYS_PFN(extent->paddr + span.skip);
		nr = kview_page_run(frames->pfn,
				    extent->vaddr ? extent->vaddr + span.skip : 0,
				    KVIEW_PAGE_MAP, max);
	}
	if (nr < 0)
		frames->pfn = page_to_pfn(ZERO_PAGE(0));
	frames->step = nr > 0;
	frames->nr = abs(nr);
}

/* Maps [start, end), which is inside the view. In a section. */
static vm_fault_t map_pages(struct vm_area_struct *vma, unsigned long start,
			    unsigned long end)
{
	const struct kview_table *table = view_of(vma)->table;
	struct frames frames;
	vm_fault_t ret;

	while (start < end) {
		find_frames(table, pos_of(vma, start), (end - start) >> PAGE_SHIFT, &frames);
		for (; frames.nr; frames.nr--) {
			ret = vmf_insert_pfn(vma, start, frames.pfn);
			if (ret & VM_FAULT_ERROR)
				return ret;
			start += PAGE_SIZE;
			frames.pfn += frames.step;
		}
	}
	return VM_FAULT_NOPAGE;
}

/* Maps the page that is wanted, then the rest of its 2 MiB as far as it goes. */
static vm_fault_t map_around(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address & PAGE_MASK;
	unsigned long start = addr & PMD_MASK;
	unsigned long end = start + PMD_SIZE;
	u64 left = PAGE_ALIGN(view_of(vma)->table->size) - pos_of(vma, addr);
	vm_fault_t ret;

	start = max(start, vma->vm_start);
	/* end is 0 if the block is the last of the address space. */
	end = min(end - 1, vma->vm_end - 1) + 1;
	if (left < end - addr)
		end = addr + left;

	ret = map_pages(vma, addr, addr + PAGE_SIZE);
	if (ret & VM_FAULT_ERROR)
		return ret;
	if (!(map_pages(vma, start, addr) & VM_FAULT_ERROR))
		map_pages(vma, addr + PAGE_SIZE, end);
	return ret;
}

static vm_fault_t kview_vma_fault(struct vm_fault *vmf)
{
	struct kview_view *view = view_of(vmf->vma);
	struct mutex *lock = block_lock(vmf);
	vm_fault_t ret;
	int judgement;

	if (pos_of(vmf->vma, vmf->address & PAGE_MASK) >= view->table->size)
		return VM_FAULT_SIGBUS;

	mutex_lock(lock);
	if (pmd_leaf(READ_ONCE(*vmf->pmd))) {
		ret = VM_FAULT_NOPAGE;
	} else {
		judgement = kview_judge_begin();
		note_mapped(view);
		ret = map_around(vmf);
		kview_judge_end(judgement);
	}
	mutex_unlock(lock);
	return ret;
}

/*
 * Entries of 1 GiB. A VMA that has one must be neither split nor moved: to split it,
 * vma_adjust_trans_huge() looks by mm_find_pmd() for a smaller entry, and what it takes for
 * a page table there is the memory that is mapped; mremap() drops such an entry as a bad one
 * and leaves it in the TLB. So it is up to Linux 6.12 and as of 7.3. Before either, and
 * before a fork, the kernel calls ->open for the new VMA, and from then on the view has no
 * entry of 1 GiB any more.
 */
enum {
	GIANT_NONE,	/* there has been no such entry yet */
	GIANT_MADE,	/* there may be some */
	GIANT_ENDING,	/* those that there are being removed, under views_lock */
	GIANT_GONE,	/* there is none, and will be none */
};

/* Whether an entry of 1 GiB may be made. In the section in which it is: open() waits for that. */
static bool giant_allowed(struct kview_view *view)
{
	return cmpxchg(&view->giant, GIANT_NONE, GIANT_MADE) <= GIANT_MADE;
}

static void kview_vma_open(struct vm_area_struct *vma)
{
	struct kview_view *view = view_of(vma);

	if (!KVIEW_HAVE_HUGE_PUD || smp_load_acquire(&view->giant) == GIANT_GONE)
		return;
	mutex_lock(&views_lock);
	if (xchg(&view->giant, GIANT_ENDING) == GIANT_MADE) {
		kview_page_synchronize();
		unmap_mapping_range(view->mapping, 0, 0, 1);
	}
	smp_store_release(&view->giant, GIANT_GONE);
	mutex_unlock(&views_lock);
}

/* Not used where the kernel has no huge entries for page frames; compat.h. */
static vm_fault_t __maybe_unused kview_vma_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct kview_view *view = view_of(vma);
	unsigned long size = PAGE_SIZE << order;
	unsigned long addr = vmf->address & ~(size - 1);
	vm_fault_t ret = VM_FAULT_FALLBACK;
	struct kview_span span;
	struct mutex *lock;
	unsigned long vaddr;
	u64 paddr;
	int judgement;

	if (size > PMD_SIZE && READ_ONCE(view->giant) > GIANT_MADE)
		return VM_FAULT_FALLBACK;
	if (addr < vma->vm_start || size > vma->vm_end - addr ||
	    pos_of(vma, addr) >= view->table->size)
		return VM_FAULT_FALLBACK;
	kview_table_find(view->table, pos_of(vma, addr), &span);
	if (!span.extent || span.extent->kind != KVIEW_EXTENT_RAM || span.len < size)
		return VM_FAULT_FALLBACK;
	paddr = span.extent->paddr + span.skip;
	if (!IS_ALIGNED(paddr, size))
		return VM_FAULT_FALLBACK;
	vaddr = span.extent->vaddr ? span.extent->vaddr + span.skip : 0;

	lock = block_lock(vmf);
	mutex_lock(lock);
	judgement = kview_judge_begin();
	/* The judgement can take long; the period begins before it. */
	note_mapped(view);
	if (kview_page_block(PHYS_PFN(paddr), vaddr, order) &&
	    (size <= PMD_SIZE || giant_allowed(view)))
		ret = kview_compat_insert_block(vmf, PHYS_PFN(paddr), order);
	kview_judge_end(judgement);
	mutex_unlock(lock);
	return ret;
}

static const struct vm_operations_struct kview_vm_ops = {
	.open = kview_vma_open,
	.fault = kview_vma_fault,
	KVIEW_COMPAT_HUGE_FAULT(kview_vma_huge_fault)
};

/**
 * kview_vma_mmap - ->mmap of a view
 * @file: the view
 * @vma:  not linked yet
 *
 * Return: 0; -ENODEV if the view cannot be mapped, or none can on this kernel, -EACCES if
 * more than reading is asked for, -EPERM if lockdown=confidentiality came into force after
 * it was opened, -EINVAL if it is partly of a window; what the file of a window says.
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
	 * Without VM_MAYWRITE not even a private mapping is copy-on-write, which page frames
	 * of others must not be. VM_HUGEPAGE because huge entries cost no memory here, so
	 * the reason for leaving them to madvise() does not apply.
	 */
	kview_compat_vm_flags_mod(vma,
				  VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP |
				  (KVIEW_HAVE_HUGE_PMD ? VM_HUGEPAGE : 0),
				  VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &kview_vm_ops;
	return 0;
}

/**
 * kview_vma_revalidate_ms - the period in force
 *
 * Return: milliseconds.
 */
unsigned int kview_vma_revalidate_ms(void)
{
	return READ_ONCE(revalidate_ms);
}

static int set_revalidate_ms(const char *val, const struct kernel_param *kp)
{
	int ret = param_set_uint_minmax(val, kp, REVALIDATE_MS_MIN, REVALIDATE_MS_MAX);

	/* The zap that is due is made now: not put off, and what is mapped has the new period. */
	if (!ret)
		flush_delayed_work(&zap_work);
	return ret;
}

static const struct kernel_param_ops revalidate_ms_ops = {
	.set = set_revalidate_ms,
	.get = param_get_uint,
};
module_param_cb(revalidate_ms, &revalidate_ms_ops, &revalidate_ms, 0644);
MODULE_PARM_DESC(revalidate_ms,
		 "longest time in ms that a page taken out of view stays mapped (50-60000)");

/**
 * kview_vma_init - get ready for mappings
 *
 * Return: 0 or -ENOMEM.
 */
int kview_vma_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(block_locks); i++)
		mutex_init(&block_locks[i]);
	workqueue = alloc_workqueue("kview", WQ_UNBOUND, 1);
	return workqueue ? 0 : -ENOMEM;
}

/** kview_vma_exit - undo kview_vma_init(). No view is left. */
void kview_vma_exit(void)
{
	cancel_delayed_work_sync(&zap_work);
	destroy_workqueue(workqueue);
}
