// SPDX-License-Identifier: GPL-2.0-only
#include "kview-pages/flags.h"

#include <linux/kernel-page-flags.h>
#include <stdio.h>

/*
 * Bits from 32 are in the kernel's own include/linux/kernel-page-flags.h, which warns that they
 * change: bit 34, for one, was KPF_MAPPEDTODISK before it was KPF_OWNER_2.
 */
static const char *const names[64] = {
	[KPF_LOCKED] = "locked",
	[KPF_ERROR] = "error",
	[KPF_REFERENCED] = "referenced",
	[KPF_UPTODATE] = "uptodate",
	[KPF_DIRTY] = "dirty",
	[KPF_LRU] = "lru",
	[KPF_ACTIVE] = "active",
	[KPF_SLAB] = "slab",
	[KPF_WRITEBACK] = "writeback",
	[KPF_RECLAIM] = "reclaim",
	[KPF_BUDDY] = "buddy",
	[KPF_MMAP] = "mmap",
	[KPF_ANON] = "anon",
	[KPF_SWAPCACHE] = "swapcache",
	[KPF_SWAPBACKED] = "swapbacked",
	[KPF_COMPOUND_HEAD] = "compound_head",
	[KPF_COMPOUND_TAIL] = "compound_tail",
	[KPF_HUGE] = "huge",
	[KPF_UNEVICTABLE] = "unevictable",
	[KPF_HWPOISON] = "hwpoison",
	[KPF_NOPAGE] = "nopage",
	[KPF_KSM] = "ksm",
	[KPF_THP] = "thp",
	[KPF_OFFLINE] = "offline",
	[KPF_ZERO_PAGE] = "zero_page",
	[KPF_IDLE] = "idle",
	[KPF_PGTABLE] = "pgtable",
	[32] = "reserved",
	[33] = "mlocked",
	[34] = "owner_2",
	[35] = "private",
	[36] = "private_2",
	[37] = "owner_private",
	[38] = "arch",
	[39] = "uncached",
	[40] = "softdirty",
	[41] = "arch_2",
	[42] = "arch_3",
};

const char *flags_name(unsigned int bit)
{
	return bit < 64 ? names[bit] : NULL;
}

size_t flags_format(uint64_t flags, char *out, size_t size)
{
	size_t len = 0;

	if (size)
		out[0] = '\0';
	for (unsigned int bit = 0; bit < 64; bit++) {
		char *end = len < size ? out + len : NULL;
		size_t room = len < size ? size - len : 0;
		const char *comma = len ? "," : "";

		if (!(flags >> bit & 1))
			continue;
		if (names[bit])
			len += snprintf(end, room, "%s%s", comma, names[bit]);
		else
			len += snprintf(end, room, "%sbit%u", comma, bit);
	}
	return len;
}
