// SPDX-License-Identifier: GPL-2.0-only
#include "hotplug.h"

#include <linux/align.h>
#include <linux/memory.h>
#include <linux/notifier.h>
#include <linux/pfn.h>
#include <linux/printk.h>

#include "block.h"
#include "page.h"
#include "revoke.h"

/*
 * The first frame that goes online and offline with a range. With
 * memory_hotplug.memmap_on_memory a memory block begins with its own struct pages, which the
 * range leaves out, although they go offline with it.
 */
static unsigned long first_pfn(const struct memory_notify *range)
{
	return ALIGN_DOWN(range->start_pfn, PHYS_PFN(memory_block_size_bytes()));
}

/*
 * Hides memory that is about to go offline, before its pages are moved, until it is online
 * again. On return no copy from it is under way and no page table maps it.
 */
static int kview_hotplug_hide(const struct memory_notify *range)
{
	unsigned long start = first_pfn(range), end = range->start_pfn + range->nr_pages;
	int ret = kview_page_forbid(start, end);

	if (!ret)
		kview_revoke_range(start, end);
	return ret;
}

/*
 * For memory that was going offline when the module was loaded. It is too late to refuse,
 * and other notifiers must be called, too.
 */
static int kview_hotplug_hide_late(const struct memory_notify *range)
{
	if (kview_hotplug_hide(range)) {
		pr_warn_ratelimited("out of memory: all memory is hidden until it is set online\n");
		kview_page_forbid_all();
		kview_revoke_range(0, first_pfn(range) + range->nr_pages);
	}
	return NOTIFY_OK;
}

/* Mappings that have zeros for the range lose them, and are judged when they are touched. */
static int kview_hotplug_show(const struct memory_notify *range)
{
	unsigned long start = first_pfn(range), end = range->start_pfn + range->nr_pages;

	/* Too late to refuse. Memory that stays hidden does no harm. */
	if (kview_block_add_range(start, end) || kview_page_allow(start, end))
		pr_warn_ratelimited("out of memory: frames %#lx to %#lx stay hidden\n", start,
				    end - 1);
	else
		kview_revoke_range(start, end);
	return NOTIFY_OK;
}

static int kview_hotplug_event(struct notifier_block *nb, unsigned long action, void *arg)
{
	const struct memory_notify *range = arg;

	switch (action) {
	case MEM_GOING_OFFLINE:
		return notifier_from_errno(kview_hotplug_hide(range));
	case MEM_OFFLINE:
		return kview_hotplug_hide_late(range);
	case MEM_CANCEL_OFFLINE:
	case MEM_ONLINE:
		return kview_hotplug_show(range);
	default:
		return NOTIFY_DONE;
	}
}

static struct notifier_block kview_hotplug_notifier = {
	.notifier_call = kview_hotplug_event,
};

/**
 * kview_hotplug_init - register the memory notifier
 *
 * Return: 0 or -errno.
 */
int kview_hotplug_init(void)
{
	return register_memory_notifier(&kview_hotplug_notifier);
}

/** kview_hotplug_exit - undo kview_hotplug_init() */
void kview_hotplug_exit(void)
{
	unregister_memory_notifier(&kview_hotplug_notifier);
}
