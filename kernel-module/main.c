// SPDX-License-Identifier: GPL-2.0-only
/* kview: kernel memory as files that can be mapped. Order of loading and unloading. */
#include <linux/module.h>

#include "arch.h"
#include "backstop.h"
#include "block.h"
#include "ctl.h"
#include "event.h"
#include "hotplug.h"
#include "page.h"
#include "revoke.h"

static int __init kview_init(void)
{
	int ret;

	ret = kview_block_init(kview_arch_paddr_bits());
	if (ret)
		return ret;
	ret = kview_revoke_init();
	if (ret)
		goto err_block;
	ret = kview_hotplug_init();
	if (ret)
		goto err_revoke;
	ret = kview_page_init();
	if (!ret)
		ret = kview_page_for_each_range(kview_block_add_range);
	if (ret)
		goto err_page;
	kview_event_init();
	ret = kview_ctl_init();
	if (ret)
		goto err_event;
	return 0;

err_event:
	kview_event_exit();
err_page:
	kview_hotplug_exit();
	kview_page_exit();
err_revoke:
	kview_revoke_exit();
err_block:
	kview_block_exit();
	return ret;
}

static void __exit kview_exit(void)
{
	kview_ctl_exit();
	kview_event_exit();
	kview_hotplug_exit();
	kview_page_exit();
	kview_backstop_exit();
	kview_revoke_exit();
	kview_block_exit();
}

module_init(kview_init);
module_exit(kview_exit);

MODULE_DESCRIPTION("Kernel memory as read-only files that can be mapped");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
