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

#include <asm/cpufeature.h>

#include "compat.h"
#include "file.h"
#include "kview.h"
#include "page.h"
#include "table.h"
#include "vma.h"

static u64 features(void)
{
	u64 bits = KVIEW_FEATURE_BLOB | KVIEW_FEATURE_FILE;

	if (!cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT))
		bits |= KVIEW_FEATURE_RAM;
	if (KVIEW_HAVE_HUGE_PMD && cpu_feature_enabled(X86_FEATURE_PSE))
		bits |= KVIEW_FEATURE_HUGE_PMD;
	if (KVIEW_HAVE_HUGE_PUD && cpu_feature_enabled(X86_FEATURE_GBPAGES))
		bits |= KVIEW_FEATURE_HUGE_PUD;
	return bits;
}

static long info(void __user *arg)
{
	struct kview_info info = {
		.abi_version	= KVIEW_ABI_VERSION,
		.refusals	= kview_page_refusals(),
		.features	= features(),
		.direct_map	= PAGE_OFFSET,
		.image_delta	= kview_table_image_delta(),
		.revalidate_ms	= kview_vma_revalidate_ms(),
		.max_extents	= KVIEW_MAX_EXTENTS,
		.max_blob_len	= KVIEW_MAX_BLOB_LEN,
		.nr_views	= kview_file_nr_views(),
	};

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* Checks what concerns no extent. */
static bool request_ok(const struct kview_create *request)
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

static long create(void __user *arg)
{
	char name[sizeof_field(struct kview_create, name) + sizeof("kview:")];
	struct kview_create request;
	struct kview_table *table;
	struct file *file;
	int fd;

	/* The descriptor may have been handed to somebody else. */
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (copy_from_user(&request, arg, sizeof(request)))
		return -EFAULT;
	if (!request_ok(&request))
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

static long ctl_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case KVIEW_IOC_INFO:
		return info((void __user *)arg);
	case KVIEW_IOC_CREATE:
		return create((void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int ctl_open(struct inode *inode, struct file *file)
{
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	return kview_file_pin();
}

static int ctl_release(struct inode *inode, struct file *file)
{
	kview_file_unpin();
	return 0;
}

static const struct file_operations ctl_fops = {
	.owner		= THIS_MODULE,
	.open		= ctl_open,
	.release	= ctl_release,
	.unlocked_ioctl	= ctl_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice ctl_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "kview",
	.fops	= &ctl_fops,
	.mode	= 0600,
};

/**
 * kview_ctl_init - show the device; from now on there are callers
 *
 * Return: 0 or -errno.
 */
int kview_ctl_init(void)
{
	return misc_register(&ctl_device);
}

/** kview_ctl_exit - undo kview_ctl_init() */
void kview_ctl_exit(void)
{
	misc_deregister(&ctl_device);
}
