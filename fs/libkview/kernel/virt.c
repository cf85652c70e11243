// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/virt.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>

#include "base/io.h"

/* x86-64: virtual address of the image at physical address 0 (arch/x86/include/asm/page_64_types.h). */
#define START_KERNEL_MAP 0xffffffff80000000ULL

/* Finds the page tables of an x86-64 kernel (arch/x86/kernel/vmcore_info_64.c, 6.12). */
static int find_tables(struct kvfs_virt *mem, const struct kvfs_vmcoreinfo *info,
		       struct kvfs_err *err)
{
	uint64_t top, phys_base, l5 = 0, sme = 0;
	int ret;

	ret = kvfs_vmcoreinfo_hex(info, "SYMBOL(swapper_pg_dir)", &top);
	if (ret == 0)
		ret = kvfs_vmcoreinfo_dec(info, "NUMBER(phys_base)", &phys_base);
	if (ret == -ENOENT)
		return 0;
	if (ret == 0)
		ret = kvfs_vmcoreinfo_dec(info, "NUMBER(pgtable_l5_enabled)", &l5);
	if (ret == 0 || ret == -ENOENT)
		ret = kvfs_vmcoreinfo_dec(info, "NUMBER(sme_mask)", &sme);
	if (ret < 0 && ret != -ENOENT)
		return kvfs_err_set(err, EBADMSG, "VMCOREINFO has a number that is none");
	if (top < START_KERNEL_MAP)
		return kvfs_err_set(err, EBADMSG,
				    "VMCOREINFO: swapper_pg_dir at 0x%" PRIx64 " is not in the kernel image",
				    top);
	mem->walk = (struct kvfs_pagewalk) {
		.root = top - START_KERNEL_MAP + phys_base,
		.levels = l5 ? 5 : 4,
		.enc_mask = sme,
		.read = mem->read_phys,
		.arg = mem->arg,
	};
	mem->has_tables = true;
	return 0;
}

/* In dumps that were made without paging, all segments have the virtual address 0. */
static bool has_vaddr(const struct kvfs_segment *seg)
{
	return seg->vaddr != 0 && seg->paddr != KVFS_NO_PADDR;
}

int kvfs_virt_init(struct kvfs_virt *mem, const struct kvfs_vmcoreinfo *info, uint16_t machine,
		   const struct kvfs_segment *segs, size_t nr_segs,
		   kvfs_read_phys_fn read_phys, void *arg, struct kvfs_err *err)
{
	bool any_vaddr = false;

	*mem = (struct kvfs_virt) {
		.read_phys = read_phys,
		.arg = arg,
		.segs = segs,
		.nr_segs = nr_segs,
	};
	if (machine == EM_X86_64) {
		int ret = find_tables(mem, info, err);

		if (ret < 0)
			return ret;
	}
	for (size_t i = 0; i < nr_segs && !any_vaddr; i++)
		any_vaddr = has_vaddr(&segs[i]);
	if (!mem->has_tables && !any_vaddr)
		return kvfs_err_set(err, EOPNOTSUPP,
				    "virtual addresses cannot be translated: neither VMCOREINFO nor the segments tell how");
	return 0;
}

static int by_segments(const struct kvfs_virt *mem, uint64_t vaddr, uint64_t *paddr,
		       uint64_t *len)
{
	for (size_t i = 0; i < mem->nr_segs; i++) {
		const struct kvfs_segment *seg = &mem->segs[i];

		if (!has_vaddr(seg) || vaddr < seg->vaddr || vaddr - seg->vaddr >= seg->memsz)
			continue;
		*paddr = seg->paddr + (vaddr - seg->vaddr);
		*len = seg->memsz - (vaddr - seg->vaddr);
		return 0;
	}
	return -EFAULT;
}

int kvfs_virt_translate(const struct kvfs_virt *mem, uint64_t vaddr, uint64_t *paddr,
			uint64_t *len)
{
	int ret = -EFAULT;

	if (mem->has_tables)
		ret = kvfs_pagewalk(&mem->walk, vaddr, paddr, len);
	/* If a page table was not dumped, the segments are still right. */
	if (ret < 0 && by_segments(mem, vaddr, paddr, len) == 0)
		ret = 0;
	return ret;
}

int kvfs_virt_read(const struct kvfs_virt *mem, void *buf, size_t len, uint64_t vaddr)
{
	char *at = buf;

	if (len > 0 && len - 1 > UINT64_MAX - vaddr)
		return -EFAULT;
	while (len > 0) {
		uint64_t paddr, run;
		int ret;

		ret = kvfs_virt_translate(mem, vaddr, &paddr, &run);
		if (ret < 0)
			return ret;
		if (run > len)
			run = len;
		ret = mem->read_phys(mem->arg, at, run, paddr);
		if (ret < 0)
			return ret;
		at += run;
		vaddr += run;
		len -= run;
	}
	return 0;
}
