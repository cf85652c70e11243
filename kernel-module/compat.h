/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels, 6.1 to 7.3. No other file of the module tests a kernel version
 * or a symbol that only some kernels have.
 */
#ifndef KVIEW_COMPAT_H
#define KVIEW_COMPAT_H

#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/page_table_check.h>
#include <linux/rcupdate.h>
#include <linux/version.h>
#include <linux/vmstat.h>

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
 * A file that a view shows is opened once more as a backing file: LSMs then see its mappings
 * (security_mmap_backing_file(), in 6.12.118 and 7.2), and it is accessed with the credentials of
 * the process that opened it. Before 6.12, and in kernels without backing files, the caller's
 * own file is used.
 */
#if defined(CONFIG_FS_STACK) && LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/backing-file.h>

/* The first parameter was a path, and is a file where LSMs have a hook for backing files. */
#define KVIEW_COMPAT_BACKING_TAKES_FILE							\
	__builtin_types_compatible_p(typeof(backing_file_open),				\
				     struct file *(const struct file *, int,		\
						   const struct path *, const struct cred *))

/* Opens @file again for reading. The caller drops the reference. Returns an ERR_PTR() or it. */
static inline struct file *kview_compat_open_backing(struct file *file)
{
	int flags = O_RDONLY | (file->f_flags & (O_LARGEFILE | O_DIRECT | O_NOATIME));

	return backing_file_open(__builtin_choose_expr(KVIEW_COMPAT_BACKING_TAKES_FILE,
						       file, &file->f_path),
				 flags, &file->f_path, file->f_cred);
}

/* 6.13 removed user_file, which the mapping must have as its file. */
static inline struct backing_file_ctx kview_compat_backing_ctx(struct file *file,
							       struct file *user)
{
	struct backing_file_ctx ctx = { };

	ctx.cred = file->f_cred;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
	ctx.user_file = user;
#endif
	return ctx;
}

/* Reads from @pos on, up to iov_iter_count(@to) bytes. Returns bytes or -errno. */
static inline ssize_t kview_compat_backing_read(struct file *file, struct iov_iter *to, loff_t pos)
{
	struct backing_file_ctx ctx = kview_compat_backing_ctx(file, NULL);
	struct kiocb iocb;

	init_sync_kiocb(&iocb, file);
	iocb.ki_pos = pos;
	return backing_file_read_iter(file, to, &iocb, 0, &ctx);
}

/* Makes @vma a mapping of @file. Returns 0, -ENODEV if @file has none, or its error. */
static inline int kview_compat_backing_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct backing_file_ctx ctx = kview_compat_backing_ctx(file, vma->vm_file);

	return backing_file_mmap(file, vma, &ctx);
}
#else
static inline struct file *kview_compat_open_backing(struct file *file)
{
	return get_file(file);
}

static inline ssize_t kview_compat_backing_read(struct file *file, struct iov_iter *to, loff_t pos)
{
	return vfs_iter_read(file, to, &pos, 0);
}

/* 6.16 added ->mmap_prepare, and 6.17 renamed the function that handles both. */
static inline int kview_compat_backing_mmap(struct file *file, struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	if (!can_mmap_file(file))
		return -ENODEV;
#else
	if (!file->f_op->mmap)
		return -ENODEV;
#endif
	vma_set_file(vma, file);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return vfs_mmap(file, vma);
#else
	return call_mmap(file, vma);
#endif
}
#endif

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

#if KVIEW_HAVE_HUGE_PMD
/* pfn_t and its header went away in the 6.17 cycle. */
#if __has_include(<linux/pfn_t.h>)
#include <linux/pfn_t.h>
#define kview_compat_pfn(pfn) __pfn_to_pfn_t(pfn, PFN_DEV)
#else
#define kview_compat_pfn(pfn) (pfn)
#endif
#endif

/* Maps a block by one entry. VM_FAULT_FALLBACK: the kernel has no such entries. */
static inline vm_fault_t kview_compat_insert_block(struct vm_fault *vmf, unsigned long pfn)
{
#if KVIEW_HAVE_HUGE_PMD
	return vmf_insert_pfn_pmd(vmf, kview_compat_pfn(pfn), false);
#else
	return VM_FAULT_FALLBACK;
#endif
}

/* The member of vm_operations_struct that inserts huge entries; empty if there are none. */
#if KVIEW_HAVE_HUGE_PMD
#define KVIEW_COMPAT_HUGE_FAULT(handler) .huge_fault = (handler),
#else
#define KVIEW_COMPAT_HUGE_FAULT(handler)
#endif

/* Largest order of a free block. MAX_ORDER became inclusive in 6.4 and MAX_PAGE_ORDER in 6.8. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define KVIEW_COMPAT_MAX_ORDER MAX_PAGE_ORDER
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define KVIEW_COMPAT_MAX_ORDER MAX_ORDER
#else
#define KVIEW_COMPAT_MAX_ORDER (MAX_ORDER - 1)
#endif

/* 6.18 wrapped page->flags in a structure. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define kview_compat_flags(page) (&(page)->flags.f)
#else
#define kview_compat_flags(page) (&(page)->flags)
#endif

/*
 * Tells whether @page is the head of a folio without a poisoned page, and its order. The flags
 * are tested as bits: their accessors stop a debugging kernel if the folio is freed meanwhile.
 */
static inline bool kview_compat_is_plain_folio(const struct page *page, unsigned int *order)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	/* compound_order() needs no reference. */
	*order = compound_order((struct page *)page);
	if (!*order || *order > PUD_SHIFT - PAGE_SHIFT ||
	    test_bit(PG_has_hwpoisoned, kview_compat_flags(page + 1)))
		return false;
	return compound_order((struct page *)page) == *order;
#else
	return false;
#endif
}

/* 6.14 stopped to wake the thread of a new kthread_worker. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#define kview_compat_run_worker(name) kthread_run_worker(0, name)
#else
#define kview_compat_run_worker(name) kthread_create_worker(0, name)
#endif

/*
 * Hooks on entry to functions. With ftrace and arguments (6.3 and later) all are of one
 * ftrace_ops, as each takes a wait for all tasks to remove; else each is a kprobe.
 */
struct kview_compat_hook;
typedef void (*kview_compat_hit_t)(struct kview_compat_hook *hook, unsigned long a,
				   unsigned long b, unsigned long c);

#if defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS) && LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
struct kview_compat_hook {
	struct kview_compat_hook *next;
	const char *symbol;
	unsigned long ip;	/* 0 until it is hit for the first time */
	bool active;
};

struct kview_compat_hooks {
	struct ftrace_ops ops;
	kview_compat_hit_t hit;
	struct kview_compat_hook *first;
	bool active;
};

/* The hook of a function that has not been hit before. */
static inline struct kview_compat_hook *kview_compat_hook_of(struct kview_compat_hooks *hooks,
							     unsigned long ip)
{
	struct kview_compat_hook *hook;
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, ip);
	for (hook = hooks->first; hook; hook = hook->next)
		if (!strcmp(hook->symbol, name)) {
			WRITE_ONCE(hook->ip, ip);
			return hook;
		}
	return NULL;
}

static inline void kview_compat_hook_hit(unsigned long ip, unsigned long parent,
					 struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	struct kview_compat_hooks *hooks = container_of(ops, struct kview_compat_hooks, ops);
	struct kview_compat_hook *hook;

	if (in_nmi())
		return;
	for (hook = hooks->first; hook; hook = hook->next)
		if (READ_ONCE(hook->ip) == ip)
			break;
	if (!hook)
		hook = kview_compat_hook_of(hooks, ip);
	if (hook)
		hooks->hit(hook, ftrace_regs_get_argument(regs, 0),
			   ftrace_regs_get_argument(regs, 1), ftrace_regs_get_argument(regs, 2));
}

/* Adds a function. Returns 0, or -errno if there is no such function. */
static inline int kview_compat_hook_add(struct kview_compat_hooks *hooks,
					struct kview_compat_hook *hook, const char *symbol)
{
	int ret;

	/* The filter fails if it matches no function; an empty one would match each. */
	ret = ftrace_set_filter(&hooks->ops, (unsigned char *)symbol, strlen(symbol),
				!hooks->first);
	if (ret)
		return ret;
	hook->symbol = symbol;
	hook->next = hooks->first;
	hook->active = true;
	hooks->first = hook;
	return 0;
}

/* Begins to call hooks->hit(). Returns 0 or -errno. */
static inline int kview_compat_hooks_start(struct kview_compat_hooks *hooks)
{
	int ret = -ENOENT;

	hooks->ops.func = kview_compat_hook_hit;
	hooks->ops.flags = FTRACE_OPS_FL_RECURSION | FTRACE_OPS_FL_RCU | FTRACE_OPS_FL_PERMANENT;
	if (hooks->first)
		ret = register_ftrace_function(&hooks->ops);
	hooks->active = !ret;
	return ret;
}

static inline void kview_compat_hooks_stop(struct kview_compat_hooks *hooks)
{
	if (hooks->active)
		unregister_ftrace_function(&hooks->ops);
	hooks->active = false;
	ftrace_free_filter(&hooks->ops);
}

static inline bool kview_compat_hook_missed(struct kview_compat_hook *hook)
{
	return false;
}
#else
struct kview_compat_hooks {
	kview_compat_hit_t hit;
	struct kview_compat_hook *first;
};

struct kview_compat_hook {
	struct kprobe probe;
	struct kview_compat_hooks *hooks;
	struct kview_compat_hook *next;
	unsigned long missed;
	bool active;
};

static inline int kview_compat_hook_hit(struct kprobe *probe, struct pt_regs *regs)
{
	struct kview_compat_hook *hook = container_of(probe, struct kview_compat_hook, probe);

	if (!in_nmi())
		hook->hooks->hit(hook, regs_get_kernel_argument(regs, 0),
				 regs_get_kernel_argument(regs, 1),
				 regs_get_kernel_argument(regs, 2));
	return 0;
}

static inline int kview_compat_hook_add(struct kview_compat_hooks *hooks,
					struct kview_compat_hook *hook, const char *symbol)
{
	int ret;

	hook->hooks = hooks;
	hook->probe.symbol_name = symbol;
	hook->probe.pre_handler = kview_compat_hook_hit;
	ret = register_kprobe(&hook->probe);
	if (ret)
		return ret;
	hook->next = hooks->first;
	hook->active = true;
	hooks->first = hook;
	return 0;
}

static inline int kview_compat_hooks_start(struct kview_compat_hooks *hooks)
{
	return hooks->first ? 0 : -ENOENT;
}

static inline void kview_compat_hooks_stop(struct kview_compat_hooks *hooks)
{
	struct kview_compat_hook *hook;

	for (hook = hooks->first; hook; hook = hook->next)
		unregister_kprobe(&hook->probe);
	hooks->first = NULL;
}

/* Tells whether the probe is disabled or has missed a call since the last time. */
static inline bool kview_compat_hook_missed(struct kview_compat_hook *hook)
{
	unsigned long missed = READ_ONCE(hook->probe.nmissed);
	bool moved = missed != hook->missed;

	hook->missed = missed;
	return moved || kprobe_disabled(&hook->probe);
}
#endif

/* Waits for tasks that are in a function of the module without having slept there. */
static inline void kview_compat_synchronize_tasks(void)
{
#ifdef CONFIG_TASKS_RCU
	synchronize_rcu_tasks();
#else
	synchronize_rcu();
#endif
}

/* A number that changes when pages are poisoned or ballooned, as far as the kernel counts it. */
static inline unsigned long kview_compat_counters(void)
{
	unsigned long sum = totalram_pages();
#ifdef CONFIG_MEMORY_FAILURE
	int node;

	/* 6.4 added the counters. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	for_each_online_node(node)
		sum += READ_ONCE(NODE_DATA(node)->mf_stats.total);
#else
	(void)node;
#endif
#endif
#if defined(CONFIG_MEMORY_BALLOON) && defined(CONFIG_VM_EVENT_COUNTERS)
	{
		static unsigned long events[NR_VM_EVENT_ITEMS];

		all_vm_events(events);
		sum += events[BALLOON_INFLATE];
	}
#endif
	return sum;
}

#endif /* KVIEW_COMPAT_H */
