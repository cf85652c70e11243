// SPDX-License-Identifier: GPL-2.0-only
#include "hotplug.h"

#include <linux/align.h>
#include <linux/memory.h>
#include <linux/notifier.h>
#include <linux/pfn.h>
#include <linux/printk.h>

#include "page.h"
#include "vma.h"

/*
 * The first frame that comes and goes with a range. With memory_hotplug.memmap_on_memory the
 * start of a memory block holds the block's own struct pages; the range leaves that out, but
 * it is online when the rest is, and goes with it.
 */
static unsigned long first_pfn(const struct memory_notify *range)
{
	return ALIGN_DOWN(range->start_pfn, PHYS_PFN(memory_block_size_bytes()));
}

/*
 * Memory that is about to go offline is hidden before its pages are moved, and stays so
 * until it is online again. When this returns, no copy from it is under way and no page
 * table has it, so it can be taken out.
 */
static int hide(const struct memory_notify *range)
{
	int ret = kview_page_forbid(first_pfn(range), range->start_pfn + range->nr_pages);

	if (!ret)
		kview_vma_zap_all();
	return ret;
}

/*
 * For memory that was on its way when the module came. It is too late to refuse, and others
 * must hear of it, too.
 */
static int hide_offline(const struct memory_notify *range)
{
	if (hide(range)) {
		pr_warn_ratelimited("out of memory: all memory is hidden until it is set online\n");
		kview_page_forbid_all();
		kview_vma_zap_all();
	}
	return NOTIFY_OK;
}

static int show(const struct memory_notify *range)
{
	/* Too late to refuse; hidden memory does no harm. */
	if (kview_page_allow(first_pfn(range), range->start_pfn + range->nr_pages))
		pr_warn_ratelimited("out of memory: frames %#lx to %#lx stay hidden\n",
				    first_pfn(range), range->start_pfn + range->nr_pages - 1);
	return NOTIFY_OK;
}

static int memory_event(struct notifier_block *nb, unsigned long action, void *arg)
{
	const struct memory_notify *range = arg;

	switch (action) {
	case MEM_GOING_OFFLINE:
		return notifier_from_errno(hide(range));
	case MEM_OFFLINE:
		return hide_offline(range);
	case MEM_CANCEL_OFFLINE:
	case MEM_ONLINE:
		return show(range);
	default:
		return NOTIFY_DONE;
	}
}

static struct notifier_block memory_notifier = {
	.notifier_call = memory_event,
};

/**
 * kview_hotplug_init - begin to follow memory hotplug
 *
 * Return: 0 or -errno.
 */
int kview_hotplug_init(void)
{
	return register_memory_notifier(&memory_notifier);
}

/** kview_hotplug_exit - undo kview_hotplug_init() */
void kview_hotplug_exit(void)
{
	unregister_memory_notifier(&memory_notifier);
}
