// SPDX-License-Identifier: GPL-2.0-only
/*
 * The old kernel's memory is not this kernel's: there is no direct map of it. When
 * /proc/vmcore is read, each of its pages is mapped, copied and unmapped by itself, which
 * takes longer than the copy. When it is mapped, it maps everything at once.
 *
 * So a read of many pages maps them for a moment, in the address space of the reader, and
 * copies from there. The module could map the memory by itself, but only /proc/vmcore knows
 * which pages of it are where (the old kernel's first 640 KiB may have been moved), which
 * must not be touched (what a hypervisor took back), and which are encrypted.
 *
 * What else the reader's threads do to that mapping hurts nobody but them: it shows what
 * they may read anyway, and it is read as user memory, with its checks. If one of them forks
 * meanwhile, the child has a copy of the mapping until it execs or ends: vm_mmap() knows no
 * flag for VM_DONTCOPY, and no file other than /proc/vmcore is asked to map.
 */
#include "vmcore.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

/* Shorter reads are not worth a mapping. */
#define MAP_MIN SZ_64K
/* Words copied at a time, so that the loads need not wait for the stores. */
#define WORDS 4

/**
 * kview_vmcore_is - is this /proc/vmcore
 * @file: any file
 *
 * Return: whether it is.
 */
bool kview_vmcore_is(const struct file *file)
{
	const struct dentry *dentry = file->f_path.dentry;

	return dentry->d_sb->s_magic == PROC_SUPER_MAGIC && IS_ROOT(dentry->d_parent) &&
	       !strcmp(dentry->d_name.name, "vmcore");
}

/*
 * Copies between two places in the reader's memory. Returns the bytes copied: @len, less
 * what does not make WORDS words at its end, or what could be copied.
 */
static size_t copy_in_user(u64 __user *to, const u64 __user *from, size_t len)
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
 * kview_vmcore_read - read /proc/vmcore by way of a mapping
 * @file: for which kview_vmcore_is()
 * @pos:  where to read
 * @len:  bytes wanted, not beyond the end of the file, at least 1
 * @to:   has room for them
 *
 * Context: may sleep, takes mmap_lock.
 * Return: bytes read. The rest, or all, is to be read as any file is: where @to is not one
 * buffer of the current process, or too short; where the kernel does not map it now; a few
 * bytes at the end; and after what cannot be written to.
 */
size_t kview_vmcore_read(struct file *file, u64 pos, size_t len, struct iov_iter *to)
{
	size_t skip = offset_in_page(pos), size = PAGE_ALIGN(skip + len), copied;
	unsigned long map;

	if (len < MAP_MIN || !iter_is_ubuf(to) || !current->mm)
		return 0;
	map = vm_mmap(file, 0, size, PROT_READ, MAP_PRIVATE, pos - skip);
	if (IS_ERR_VALUE(map))
		return 0;
	copied = copy_in_user(to->ubuf + to->iov_offset, (const void __user *)map + skip, len);
	iov_iter_advance(to, copied);
	vm_munmap(map, size);
	return copied;
}
