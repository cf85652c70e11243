// SPDX-License-Identifier: GPL-2.0-only
/*
 * The crash kernel has no direct map of the crashed kernel's memory. read_vmcore() maps,
 * copies and unmaps each page by itself, which takes longer than the copy; mmap_vmcore() maps
 * a whole range at once. So a read of many pages maps them in the address space of the
 * reader, copies, and unmaps them.
 *
 * The module cannot map the memory itself: only /proc/vmcore knows where pages are (the first
 * 640 KiB may have been moved), which must not be touched (ballooned ones) and which are
 * encrypted.
 *
 * Other threads of the reader can see and change the temporary mapping. It shows what they
 * may read anyway, and the copy treats it as user memory. If a thread forks during the read,
 * the child keeps a copy of the mapping until it execs or ends, as vm_mmap() cannot set
 * VM_DONTCOPY.
 */
#include "vmcore.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/workqueue.h>

/* For shorter reads a mapping costs more than it saves. */
#define MAP_MIN SZ_64K
/* Words copied at a time, so that loads do not wait for stores. */
#define WORDS 4

/**
 * kview_vmcore_is - tell whether a file is /proc/vmcore
 * @file: any file
 *
 * Return: true if it is.
 */
bool kview_vmcore_is(const struct file *file)
{
	const struct dentry *dentry = file->f_path.dentry;

	return dentry->d_sb->s_magic == PROC_SUPER_MAGIC && IS_ROOT(dentry->d_parent) &&
	       !strcmp(dentry->d_name.name, "vmcore");
}

/*
 * Copies from user memory to user memory. Returns the bytes copied: @len rounded down to WORDS
 * words, or less if a page is missing.
 */
static size_t kview_vmcore_copy(u64 __user *to, const u64 __user *from, size_t len)
{
	size_t nr = len / sizeof(u64) / WORDS * WORDS, i = 0;
	u64 a, b, c, d;

	if (!access_ok(from, len) || !user_access_begin(to, len))
		return 0;
	for (; i < nr; i += WORDS) {
		unsafe_get_user(a, from + i, out);
		unsafe_get_user(b, from + i + 1, out);
		unsafe_get_user(c, from + i + 2, out);
		unsafe_get_user(d, from + i + 3, out);
		unsafe_put_user(a, to + i, out);
		unsafe_put_user(b, to + i + 1, out);
		unsafe_put_user(c, to + i + 2, out);
		unsafe_put_user(d, to + i + 3, out);
	}
out:
	user_access_end();
	return i * sizeof(u64);
}

/**
 * struct leftover - a mapping that its reader could not remove
 * @work: removes it
 * @mm:   the address space; a reference
 * @addr: address of the mapping
 * @size: its size in bytes
 */
struct leftover {
	struct work_struct work;
	struct mm_struct *mm;
	unsigned long addr;
	size_t size;
};

static void kview_vmcore_unmap_later(struct work_struct *work)
{
	struct leftover *leftover = container_of(work, struct leftover, work);

	kthread_use_mm(leftover->mm);
	vm_munmap(leftover->addr, leftover->size);
	kthread_unuse_mm(leftover->mm);
	mmput(leftover->mm);
	kfree(leftover);
	module_put(THIS_MODULE);
}

/*
 * vm_munmap() fails with -EINTR if the reader was killed. The address space may outlive the
 * reader (CLONE_VM), so a kernel thread, which cannot be killed, unmaps.
 */
static void kview_vmcore_unmap(unsigned long addr, size_t size, struct leftover *leftover)
{
	if (vm_munmap(addr, size) != -EINTR) {
		kfree(leftover);
		return;
	}
	INIT_WORK(&leftover->work, kview_vmcore_unmap_later);
	leftover->mm = current->mm;
	leftover->addr = addr;
	leftover->size = size;
	mmget(leftover->mm);
	__module_get(THIS_MODULE);
	schedule_work(&leftover->work);
}

/**
 * kview_vmcore_read - read /proc/vmcore through a temporary mapping
 * @file: for which kview_vmcore_is()
 * @pos:  where to read
 * @len:  bytes wanted, not beyond the end of the file, at least 1
 * @to:   has room for them
 *
 * Context: may sleep, takes mmap_lock.
 * Return: bytes read, possibly 0; the caller reads the rest with vfs_iter_read(). A rest is
 * left if @to is not one buffer of the current process or is too short, if the file cannot be
 * mapped now, at the last bytes, and after a page of @to that cannot be written.
 */
size_t kview_vmcore_read(struct file *file, u64 pos, size_t len, struct iov_iter *to)
{
	size_t skip = offset_in_page(pos), size = PAGE_ALIGN(skip + len), copied;
	struct leftover *leftover;
	unsigned long map;

	if (len < MAP_MIN || !iter_is_ubuf(to) || !current->mm)
		return 0;
	leftover = kmalloc(sizeof(*leftover), GFP_KERNEL);
	if (!leftover)
		return 0;
	map = vm_mmap(file, 0, size, PROT_READ, MAP_PRIVATE, pos - skip);
	if (IS_ERR_VALUE(map)) {
		kfree(leftover);
		return 0;
	}
	copied = kview_vmcore_copy(to->ubuf + to->iov_offset, (const void __user *)map + skip, len);
	iov_iter_advance(to, copied);
	kview_vmcore_unmap(map, size, leftover);
	return copied;
}
