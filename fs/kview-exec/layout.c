// SPDX-License-Identifier: GPL-2.0-only
#include "kview-exec/layout.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "elf/core.h"
#include "kernel/virt.h"
#include "kernel/vmcoreinfo.h"
#include "kview-exec/real.h"

/* Where x86-64 maps its image (arch/x86/include/asm/page_64_types.h). */
#define START_KERNEL_MAP 0xffffffff80000000ULL

/* The program headers in [headers, headers + len), or NULL if they are not all there. */
static const Elf64_Phdr *find_phdrs(const void *headers, size_t len, size_t *n)
{
	const Elf64_Ehdr *ehdr = headers;

	if (len < sizeof(*ehdr) || memcmp(ehdr->e_ident, ELFMAG, SELFMAG) != 0 ||
	    ehdr->e_ident[EI_CLASS] != ELFCLASS64 || ehdr->e_ident[EI_DATA] != kvfs_elf_native_data() ||
	    ehdr->e_type != ET_CORE || ehdr->e_phentsize != sizeof(Elf64_Phdr) ||
	    ehdr->e_phnum == PN_XNUM || ehdr->e_phoff > len || ehdr->e_phoff % sizeof(uint64_t) ||
	    (len - ehdr->e_phoff) / sizeof(Elf64_Phdr) < ehdr->e_phnum)
		return NULL;
	*n = ehdr->e_phnum;
	return (const Elf64_Phdr *)((const char *)headers + ehdr->e_phoff);
}

static int add_notes(struct kvfs_elf *core, const struct kvfs_elf_file *file, const void *headers,
		     size_t len, const Elf64_Phdr *ph)
{
	void *bytes;

	if (ph->p_offset > len || ph->p_filesz > len - ph->p_offset)
		return -EBADMSG;
	if (kvfs_elf_check_notes(core, file, ph, NULL) < 0)
		return -EBADMSG;
	bytes = malloc(ph->p_filesz ? ph->p_filesz : 1);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, (const char *)headers + ph->p_offset, ph->p_filesz);
	return kvfs_elf_add_notes(core, file, ph, bytes, NULL);
}

static int fill_core(struct kvfs_elf *core, const void *headers, size_t len, const Elf64_Phdr *phdrs,
		     size_t n)
{
	const struct kvfs_elf_file file = { .name = "/proc/kcore" };
	int ret = 0;

	for (size_t i = 0; i < n && ret == 0; i++) {
		if (phdrs[i].p_type == PT_LOAD)
			ret = kvfs_elf_add_segment(core, &file, i, &phdrs[i], NULL);
		else if (phdrs[i].p_type == PT_NOTE)
			ret = add_notes(core, &file, headers, len, &phdrs[i]);
	}
	return ret ? ret : kvfs_elf_find_vmcoreinfo(core, &file, NULL);
}

static int by_off(const void *a, const void *b)
{
	const struct kvfs_layout_segment *x = a, *y = b;

	return x->off < y->off ? -1 : x->off > y->off;
}

static enum kvfs_layout_kind kind_of(const struct kvfs_segment *segment)
{
	if (segment->paddr == KVFS_NO_PADDR)
		return KVFS_LAYOUT_TABLES;
	return segment->vaddr >= START_KERNEL_MAP ? KVFS_LAYOUT_IMAGE : KVFS_LAYOUT_RAM;
}

static int list_segments(const struct kvfs_elf *core, struct kvfs_layout *out)
{
	if (core->nr_segs > KVFS_LAYOUT_MAX)
		return -E2BIG;
	for (size_t i = 0; i < core->nr_segs; i++) {
		const struct kvfs_segment *s = &core->segs[i];

		if (s->len == 0)
			continue;
		out->v[out->nr++] = (struct kvfs_layout_segment){
			.off = s->off,
			.len = s->len,
			.vaddr = s->vaddr,
			.paddr = s->paddr,
			.kind = kind_of(s),
		};
	}
	qsort(out->v, out->nr, sizeof(out->v[0]), by_off);
	for (size_t i = 1; i < out->nr; i++)
		if (out->v[i].off - out->v[i - 1].off < out->v[i - 1].len)
			return -EBADMSG;
	return 0;
}

/* kvfs_virt_init() asks for one; only what it finds out is used. */
static int read_nothing(void *arg, void *buf, size_t len, uint64_t paddr)
{
	return -EFAULT;
}

static void find_tables(const struct kvfs_elf *core, struct kvfs_layout *out)
{
	const struct kvfs_vmcoreinfo info = { .text = core->vmcoreinfo, .len = core->vmcoreinfo_len };
	struct kvfs_virt virt;

	if (!core->vmcoreinfo ||
	    kvfs_virt_init(&virt, &info, core->machine, NULL, 0, read_nothing, NULL, NULL) < 0 ||
	    !virt.has_tables)
		return;
	out->root = virt.walk.root;
	out->levels = virt.walk.levels;
	out->enc_mask = virt.walk.enc_mask;
}

int kvfs_layout_parse(const void *headers, size_t len, struct kvfs_layout *out)
{
	const Elf64_Phdr *phdrs;
	struct kvfs_elf core;
	size_t n;
	int ret;

	memset(out, 0, sizeof(*out));
	phdrs = find_phdrs(headers, len, &n);
	if (!phdrs)
		return -EBADMSG;
	ret = kvfs_elf_init(&core, ((const Elf64_Ehdr *)headers)->e_machine, ELFCLASS64, n);
	if (ret < 0)
		return ret;
	ret = fill_core(&core, headers, len, phdrs, n);
	if (ret == 0)
		ret = list_segments(&core, out);
	if (ret == 0)
		find_tables(&core, out);
	kvfs_elf_deinit(&core);
	return ret;
}

static int read_exact(int fd, void *buf, size_t len, uint64_t off)
{
	long n = kvfs_real_pread(fd, buf, len, off);

	return n < 0 ? (int)n : n == (long)len ? 0 : -EBADMSG;
}

/* The bytes of the file from 0 on that have all headers and notes; the caller's to free. */
static int read_headers(int fd, void **out, size_t *out_len)
{
	_cleanup_free_ char *headers = NULL;
	Elf64_Ehdr ehdr;
	uint64_t end;
	int ret = read_exact(fd, &ehdr, sizeof(ehdr), 0);

	if (ret < 0)
		return ret;
	end = ehdr.e_phoff + (uint64_t)ehdr.e_phnum * sizeof(Elf64_Phdr);
	if (ehdr.e_phoff < sizeof(ehdr) || end > KVFS_ELF_HEAD_MAX)
		return -EBADMSG;
	/* Once for the program headers, which say where the notes end, and once for all. */
	for (int i = 0; i < 2; i++) {
		const Elf64_Phdr *phdrs;
		size_t n;

		free(headers);
		headers = malloc(end);
		if (!headers)
			return -ENOMEM;
		ret = read_exact(fd, headers, end, 0);
		if (ret < 0)
			return ret;
		phdrs = find_phdrs(headers, end, &n);
		if (!phdrs)
			return -EBADMSG;
		for (size_t j = 0; i == 0 && j < n; j++) {
			if (phdrs[j].p_type != PT_NOTE)
				continue;
			if (phdrs[j].p_offset > KVFS_ELF_HEAD_MAX || phdrs[j].p_filesz > KVFS_ELF_HEAD_MAX)
				return -EBADMSG;
			if (phdrs[j].p_offset + phdrs[j].p_filesz > end)
				end = phdrs[j].p_offset + phdrs[j].p_filesz;
		}
		*out_len = end;
	}
	*out = kvfs_steal_ptr(headers);
	return 0;
}

int kvfs_layout_load(int fd, struct kvfs_layout *out)
{
	_cleanup_free_ void *headers = NULL;
	size_t len;
	int ret = read_headers(fd, &headers, &len);

	return ret < 0 ? ret : kvfs_layout_parse(headers, len, out);
}

unsigned int kvfs_layout_hint;

const struct kvfs_layout_segment *kvfs_layout_search(const struct kvfs_layout *layout, uint64_t off,
						     uint64_t *skip, uint64_t *left)
{
	size_t first = 0, end = layout->nr;
	const struct kvfs_layout_segment *s;

	/* The last segment that begins at or before off. */
	while (first < end) {
		size_t middle = (first + end) / 2;

		if (layout->v[middle].off <= off)
			first = middle + 1;
		else
			end = middle;
	}
	s = first ? &layout->v[first - 1] : NULL;
	if (s && off - s->off < s->len) {
		*skip = off - s->off;
		*left = s->len - *skip;
		__atomic_store_n(&kvfs_layout_hint, (unsigned int)(first - 1), __ATOMIC_RELAXED);
		return s;
	}
	*left = first < layout->nr ? layout->v[first].off - off : UINT64_MAX - off;
	return NULL;
}
