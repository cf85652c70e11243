// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module for a test: 2 MiB of nonzero bytes, of which it makes some pages PageOffline, as
 * drivers for balloons and virtio-mem do with memory that they give back to the host. Unlike
 * those it keeps the bytes, so that a test sees whether a reader shows them.
 *
 * /sys/module/offline_pages/parameters:
 *   paddr    physical address of the memory
 *   announce 1: the pages are taken out of the count of managed pages, as these drivers do;
 *            0: nothing but the pages themselves changes
 *   offline  write 1: each page whose number in it is 1 modulo 4 is PageOffline; 0: none is
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/page-flags.h>
#include <linux/string.h>

#define ORDER 9
#define NR_PAGES (1UL << ORDER)

static unsigned long paddr;
module_param(paddr, ulong, 0400);

static bool announce;
module_param(announce, bool, 0600);

static struct page *memory;
static bool offline;
/* What has been taken out of the count. */
static unsigned long announced;

static void set_pages(bool value)
{
	unsigned long i;

	if (!memory || value == offline)
		return;
	offline = value;
	for (i = 1; i < NR_PAGES; i += 4) {
		if (value)
			__SetPageOffline(memory + i);
		else
			__ClearPageOffline(memory + i);
		if (value && announce) {
			adjust_managed_page_count(memory + i, -1);
			announced++;
		}
	}
	if (!value && announced) {
		adjust_managed_page_count(memory, announced);
		announced = 0;
	}
}

static int set_offline(const char *text, const struct kernel_param *param)
{
	bool value;
	int ret = kstrtobool(text, &value);

	if (!ret)
		set_pages(value);
	return ret;
}

static const struct kernel_param_ops offline_ops = {
	.set = set_offline,
	.get = param_get_bool,
};
module_param_cb(offline, &offline_ops, &offline, 0600);

static int __init offline_pages_init(void)
{
	memory = alloc_pages(GFP_KERNEL, ORDER);
	if (!memory)
		return -ENOMEM;
	memset(page_address(memory), 0xa5, NR_PAGES * PAGE_SIZE);
	paddr = page_to_phys(memory);
	return 0;
}

static void __exit offline_pages_exit(void)
{
	set_pages(false);
	__free_pages(memory, ORDER);
}

module_init(offline_pages_init);
module_exit(offline_pages_exit);

MODULE_DESCRIPTION("PageOffline pages with bytes in them");
MODULE_LICENSE("GPL");
