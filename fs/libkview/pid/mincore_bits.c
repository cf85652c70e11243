// SPDX-License-Identifier: GPL-2.0-only
#include "pid/mincore_bits.h"

#include "pid/kpageflags.h"
#include "pid/pagemap.h"

uint8_t kvfs_mincore_bits_of_entry(uint64_t entry, uint64_t kpageflags, bool in_page_cache)
{
	uint8_t cached = in_page_cache ? KVFS_MINCORE_PAGECACHE : 0;
	uint8_t bits = KVFS_MINCORE_RESIDENT | KVFS_MINCORE_MAPPED;

	switch (kvfs_pagemap_state(entry)) {
	case KVFS_PAGEMAP_NONE:
		return 0;
	case KVFS_PAGEMAP_SWAP:
		return KVFS_MINCORE_SWAPPED | KVFS_MINCORE_ANON;
	case KVFS_PAGEMAP_BUSY:
		return KVFS_MINCORE_RESIDENT | (entry & KVFS_PAGEMAP_FILE ? cached : KVFS_MINCORE_ANON);
	case KVFS_PAGEMAP_MAPPED:
		break;
	}
	if (entry & KVFS_PAGEMAP_FILE)
		return bits | cached;
	if (kpageflags & KVFS_KPF_ANON)		/* the zero page is not */
		bits |= KVFS_MINCORE_ANON;
	if (kpageflags & KVFS_KPF_SWAPCACHE)
		bits |= KVFS_MINCORE_SWAPCACHE;
	return bits;
}

uint8_t kvfs_mincore_bits_of_categories(uint64_t categories, bool in_page_cache)
{
	uint8_t bits = KVFS_MINCORE_RESIDENT | KVFS_MINCORE_MAPPED;

	if (!(categories & KVFS_PAGEMAP_SCAN_PRESENT))
		return 0;
	if (categories & KVFS_PAGEMAP_SCAN_FILE)
		return in_page_cache ? bits | KVFS_MINCORE_PAGECACHE : bits;
	return categories & KVFS_PAGEMAP_SCAN_PFNZERO ? bits : bits | KVFS_MINCORE_ANON;
}
