// SPDX-License-Identifier: GPL-2.0-only
#include "ctl.h"

#include <linux/capability.h>
#include <linux/cc_platform.h>
#include <linux/compat.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "arch.h"
#include "backstop.h"
#include "block.h"
#include "compat.h"
#include "event.h"
#include "file.h"
#include "kview.h"
#include "page.h"
#include "revoke.h"
#include "table.h"

static u64 kview_ctl_features(void)
{
	u64 bits = KVIEW_FEATURE_BLOB | KVIEW_FEATURE_FILE;

	if (!cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT))
		bits |= KVIEW_FEATURE_RAM;
	if (KVIEW_HAVE_HUGE_PMD && kview_arch_has_huge())
		bits |= KVIEW_FEATURE_HUGE_PMD;
	return bits;
}

static long kview_ctl_info(void __user *arg)
{
	struct kview_backstop_stats backstop;
	struct kview_revoke_stats revoke;
	struct kview_info info = {
		.abi_version	= KVIEW_ABI_VERSION,
		.refusals	= kview_page_refusals(),
		.features	= kview_ctl_features(),
		.max_extents	= KVIEW_MAX_EXTENTS,
		.max_blob_len	= KVIEW_MAX_BLOB_LEN,
		.nr_views	= kview_file_nr_views(),
		.events		= KVIEW_EVENT_ALL & ~kview_event_missing(),
		.mapped_blocks	= kview_block_nr_mapped(),
	};
	unsigned int i;

	/* The descriptor may have been passed to a process that must not know KASLR's offsets. */
	if (capable(CAP_SYS_RAWIO)) {
		info.direct_map = PAGE_OFFSET;
		info.image_delta = kview_arch_image_delta();
	}
	kview_backstop_get_stats(&backstop);
	info.revalidate_ms = backstop.period_ms;
	info.direct_ms = backstop.direct_ms;
	info.late_ms = backstop.late_ms;
	info.pass_ms = backstop.pass_ms;
	info.passes = backstop.passes;
	kview_revoke_get_stats(&revoke);
	BUILD_BUG_ON(ARRAY_SIZE(info.revoked) != KVIEW_NR_CAUSES);
	for (i = 0; i < KVIEW_NR_CAUSES; i++)
		info.revoked[i] = revoke.revoked[i];
	info.worst_us = revoke.worst_us;
	info.worker_ns = revoke.cpu_ns;
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* Checks the members of a request that do not depend on its extents. */
static bool kview_ctl_request_ok(const struct kview_create *request)
{
	size_t i, len = strnlen(request->name, sizeof(request->name));

	if (request->flags || memchr_inv(request->reserved, 0, sizeof(request->reserved)))
		return false;
	if (len == sizeof(request->name))
		return false;
	for (i = 0; i < len; i++)
		if (request->name[i] == '/' || iscntrl(request->name[i]))
			return false;
	return true;
}

static long kview_ctl_create(void __user *arg)
{
	char name[sizeof_field(struct kview_create, name) + sizeof("kview:")];
	struct kview_create request;
	struct kview_table *table;
	struct file *file;
	int fd;

	/* The descriptor may have been passed to a process without the capability. */
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (copy_from_user(&request, arg, sizeof(request)))
		return -EFAULT;
	if (!kview_ctl_request_ok(&request))
		return -EINVAL;
	snprintf(name, sizeof(name), "kview:%s", request.name[0] ? request.name : "view");

	table = kview_table_create(&request);
	if (IS_ERR(table))
		return PTR_ERR(table);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		kview_table_destroy(table);
		return fd;
	}
	file = kview_file_create(table, name);
	if (IS_ERR(file)) {
		kview_table_destroy(table);
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

static long kview_ctl_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case KVIEW_IOC_INFO:
		return kview_ctl_info((void __user *)arg);
	case KVIEW_IOC_CREATE:
		return kview_ctl_create((void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int kview_ctl_open(struct inode *inode, struct file *file)
{
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	return kview_file_pin();
}

static int kview_ctl_release(struct inode *inode, struct file *file)
{
	kview_file_unpin();
	return 0;
}

static const struct file_operations kview_ctl_fops = {
	.owner		= THIS_MODULE,
	.open		= kview_ctl_open,
	.release	= kview_ctl_release,
	.unlocked_ioctl	= kview_ctl_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice kview_ctl_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "kview",
	.fops	= &kview_ctl_fops,
	.mode	= 0600,
};

/**
 * kview_ctl_init - register the device; callers may come from now on
 *
 * Return: 0 or -errno.
 */
int kview_ctl_init(void)
{
	return misc_register(&kview_ctl_device);
}

/** kview_ctl_exit - undo kview_ctl_init() */
void kview_ctl_exit(void)
{
	misc_deregister(&kview_ctl_device);
}
