// SPDX-License-Identifier: GPL-2.0-only
/* kview: kernel memory as files that can be mapped. Order of loading and unloading. */
#include <linux/module.h>

#include "ctl.h"
#include "hotplug.h"
#include "page.h"
#include "vma.h"

static int __init kview_init(void)
{
	int ret;

	ret = kview_vma_init();
	if (ret)
		return ret;
	ret = kview_hotplug_init();
	if (ret)
		goto err_vma;
	ret = kview_page_init();
	if (ret)
		goto err_page;
	ret = kview_ctl_init();
	if (ret)
		goto err_page;
	return 0;

err_page:
	kview_hotplug_exit();
	kview_page_exit();
err_vma:
	kview_vma_exit();
	return ret;
}

static void __exit kview_exit(void)
{
	kview_ctl_exit();
	kview_hotplug_exit();
	kview_page_exit();
	kview_vma_exit();
}

module_init(kview_init);
module_exit(kview_exit);

MODULE_DESCRIPTION("Kernel memory as read-only files that can be mapped");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
