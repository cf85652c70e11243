// SPDX-License-Identifier: GPL-2.0-only
#include "pid/mincore_bits.h"

#include "pid/kpageflags.h"
#include "pid/pagemap.h"

uint8_t kvfs_residency_of_entry(uint64_t entry, uint64_t kpageflags, bool in_page_cache)
{
	uint8_t cached = in_page_cache ? KVFS_RESIDENT_PAGECACHE : 0;
	uint8_t bits = KVFS_RESIDENT | KVFS_RESIDENT_MAPPED;

	switch (kvfs_pagemap_state(entry)) {
	case KVFS_PAGEMAP_NONE:
		return 0;
	case KVFS_PAGEMAP_SWAP:
		return KVFS_RESIDENT_SWAPPED | KVFS_RESIDENT_ANON;
	case KVFS_PAGEMAP_BUSY:
		return KVFS_RESIDENT | (entry & KVFS_PAGEMAP_FILE ? cached : KVFS_RESIDENT_ANON);
	case KVFS_PAGEMAP_MAPPED:
		break;
	}
	if (entry & KVFS_PAGEMAP_FILE)
		return bits | cached;
	if (kpageflags & KVFS_KPF_ANON)		/* the zero page is not */
		bits |= KVFS_RESIDENT_ANON;
	if (kpageflags & KVFS_KPF_SWAPCACHE)
		bits |= KVFS_RESIDENT_SWAPCACHE;
	return bits;
}

uint8_t kvfs_residency_of_categories(uint64_t categories, bool in_page_cache)
{
	uint8_t bits = KVFS_RESIDENT | KVFS_RESIDENT_MAPPED;

	if (!(categories & KVFS_PAGEMAP_SCAN_PRESENT))
		return 0;
	if (categories & KVFS_PAGEMAP_SCAN_FILE)
		return in_page_cache ? bits | KVFS_RESIDENT_PAGECACHE : bits;
	return categories & KVFS_PAGEMAP_SCAN_PFNZERO ? bits : bits | KVFS_RESIDENT_ANON;
}
