/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small kdump-compressed files for tests, in memory. Pages are stored as they are; each holds
 * its physical address in every 8 bytes.
 */
#ifndef KDUMP_BUILDER_H
#define KDUMP_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "unit.h"

#define KDUMP_MAX_LEN (4 * 1024 * 1024)

/* Offsets of what tests change: the first two in the file, the last in its second page. */
#define KDUMP_RELEASE 142
#define KDUMP_STATUS 424
#define KDUMP_SPLIT 12

struct kdump_spec {
	uint32_t page_size;	/* bytes; 0: 4096 */
	/*
	 * A letter each: 'x' is left out, '.' is no RAM, the others are in the dump; 'D' as it
	 * is, 'L' and 'Z' are said to be compressed by zlib and by zstd, and are not.
	 */
	const char *pages;
	bool split;		/* the file has pages [start, end) */
	uint64_t start, end;
	const char *machine;	/* NULL: x86_64 */
	const void *notes;	/* or NULL */
	size_t notes_len;
	const char *vmcoreinfo;	/* of the header, or NULL */
};

struct kdump_file {
	unsigned char bytes[KDUMP_MAX_LEN];
	size_t len;
	size_t descs_off;	/* of the first page descriptor, 24 bytes each */
	size_t data_off;	/* of the first page */
};

static inline bool kdump_has(char page)
{
	return page == 'D' || page == 'L' || page == 'Z';
}

static inline void kdump_put(struct kdump_file *f, size_t off, const void *bytes, size_t len)
{
	ck_assert_uint_le(off + len, sizeof(f->bytes));
	memcpy(f->bytes + off, bytes, len);
	if (off + len > f->len)
		f->len = off + len;
}

static inline void kdump_put32(struct kdump_file *f, size_t off, uint32_t v)
{
	kdump_put(f, off, &v, sizeof(v));
}

static inline void kdump_put64(struct kdump_file *f, size_t off, uint64_t v)
{
	kdump_put(f, off, &v, sizeof(v));
}

/* The bytes of a page as they are in the dump. */
static inline void kdump_page(uint64_t pfn, size_t page_size, void *out)
{
	uint64_t paddr = pfn * page_size;

	for (size_t i = 0; i < page_size; i += 8, paddr += 8)
		memcpy((char *)out + i, &paddr, sizeof(paddr));
}

/* Header and sub header; the texts follow the latter, in the same block. */
static inline void kdump_put_heads(struct kdump_file *f, const struct kdump_spec *spec, size_t page_size)
{
	uint64_t nr_pfns = strlen(spec->pages);
	size_t texts = page_size + 104;

	kdump_put(f, 0, "KDUMP   ", 8);
	kdump_put32(f, 8, 6);
	kdump_put(f, KDUMP_RELEASE, "6.12.0-test", 12);
	kdump_put(f, 272, spec->machine ? spec->machine : "x86_64",
		  strlen(spec->machine ? spec->machine : "x86_64") + 1);
	kdump_put32(f, 428, (uint32_t)page_size);
	kdump_put32(f, 432, 1);
	kdump_put32(f, 436, 2);
	kdump_put32(f, 440, (uint32_t)nr_pfns);
	kdump_put32(f, page_size + KDUMP_SPLIT, spec->split);
	kdump_put64(f, page_size + 80, spec->start);
	kdump_put64(f, page_size + 88, spec->end);
	kdump_put64(f, page_size + 96, nr_pfns);
	if (spec->vmcoreinfo) {
		kdump_put(f, texts, spec->vmcoreinfo, strlen(spec->vmcoreinfo));
		kdump_put64(f, page_size + 32, texts);
		kdump_put64(f, page_size + 40, strlen(spec->vmcoreinfo));
		texts += strlen(spec->vmcoreinfo);
	}
	if (spec->notes_len) {
		kdump_put(f, texts, spec->notes, spec->notes_len);
		kdump_put64(f, page_size + 48, texts);
		kdump_put64(f, page_size + 56, spec->notes_len);
	}
}

static inline void kdump_build(struct kdump_file *f, const struct kdump_spec *spec)
{
	static unsigned char page[65536];
	size_t page_size = spec->page_size ? spec->page_size : 4096;
	size_t nr_pfns = strlen(spec->pages), end = spec->split ? spec->end : nr_pfns, nr = 0;
	size_t maps = 2 * page_size;

	memset(f, 0, sizeof(*f));
	kdump_put_heads(f, spec, page_size);
	for (size_t i = 0; i < nr_pfns; i++) {
		f->bytes[maps + i / 8] |= (unsigned char)((spec->pages[i] != '.') << i % 8);
		f->bytes[maps + page_size + i / 8] |= (unsigned char)(kdump_has(spec->pages[i]) << i % 8);
		nr += kdump_has(spec->pages[i]) && i >= spec->start && i < end;
	}
	f->descs_off = maps + 2 * page_size;
	f->len = f->data_off = f->descs_off + nr * 24;
	for (size_t i = spec->start, at = f->descs_off; i < end; i++) {
		if (!kdump_has(spec->pages[i]))
			continue;
		kdump_put64(f, at, f->len);
		kdump_put32(f, at + 8, (uint32_t)page_size);
		kdump_put32(f, at + 12, spec->pages[i] == 'L' ? 1 << 0 : spec->pages[i] == 'Z' ? 1 << 5 : 0);
		at += 24;
		kdump_page(i, page_size, page);
		kdump_put(f, f->len, page, page_size);
	}
}

#endif /* KDUMP_BUILDER_H */
