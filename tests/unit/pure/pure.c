// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pure parts of elf and kernel, linked with nothing but libc, as a program without threads
 * and libraries would use them: a core is built in memory, taken apart, made a memory map, and a
 * page table in it is walked. tests/unit/pure/symbols.test looks at what this program imports.
 */
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elf/build.h"
#include "elf/core.h"
#include "elf/notes.h"
#include "kernel/memmap.h"
#include "kernel/pagewalk.h"
#include "kernel/virt.h"
#include "kernel/vmcoreinfo.h"
#include "tap.h"

#define HEAD_LEN 4096
#define IMAGE_VADDR 0xffffffff81000000ULL
#define IMAGE_PADDR 0x1000000ULL
#define DIRECT_MAP 0xffff888000000000ULL
#define INFO "SYMBOL(swapper_pg_dir)=ffffffff81000000\nNUMBER(phys_base)=0\n"

static const struct kvfs_segment segs[] = {
	{ .off = 0x1000, .len = 0x200000, .memsz = 0x200000, .vaddr = IMAGE_VADDR, .paddr = IMAGE_PADDR },
	{ .off = 0x400000, .len = 0x4000000, .memsz = 0x4000000, .vaddr = DIRECT_MAP, .paddr = 0 },
};

/* Three tables from swapper_pg_dir on map 2 MiB at IMAGE_VADDR; all else is zeros. */
static int read_phys(void *arg, void *buf, size_t len, uint64_t paddr)
{
	static const struct { uint64_t paddr, entry; } entries[] = {
		{ IMAGE_PADDR + 511 * 8, (IMAGE_PADDR + 0x1000) | 1 },
		{ IMAGE_PADDR + 0x1000 + 510 * 8, (IMAGE_PADDR + 0x2000) | 1 },
		{ IMAGE_PADDR + 0x2000 + 8 * 8, IMAGE_PADDR | 0x81 },
	};

	memset(buf, 0, len);
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		if (entries[i].paddr == paddr && len == 8) {
			uint64_t entry = htole64(entries[i].entry);

			memcpy(buf, &entry, sizeof(entry));
		}
	}
	return 0;
}

/* Takes the program headers of head apart as elf/load does with those of a file. */
static int take_apart(const char *head, const struct kvfs_elf_file *file, struct kvfs_elf *core)
{
	Elf64_Ehdr ehdr;
	int ret;

	memcpy(&ehdr, head, sizeof(ehdr));
	ret = kvfs_elf_init(core, ehdr.e_machine, ehdr.e_ident[EI_CLASS], ehdr.e_phnum);
	for (size_t i = 0; i < ehdr.e_phnum && ret == 0; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, head + ehdr.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_LOAD) {
			ret = kvfs_elf_add_segment(core, file, i, &ph, NULL);
		} else {
			void *bytes = malloc(ph.p_filesz);

			if (!bytes || kvfs_elf_check_notes(core, file, &ph, NULL) < 0)
				return -ENOMEM;
			memcpy(bytes, head + ph.p_offset, ph.p_filesz);
			ret = kvfs_elf_add_notes(core, file, &ph, bytes, NULL);
		}
	}
	return ret ? ret : kvfs_elf_find_vmcoreinfo(core, file, NULL);
}

int main(void)
{
	const struct kvfs_elf_new_note note = {
		.name = "VMCOREINFO", .name_len = 10, .desc = INFO, .desc_len = sizeof(INFO) - 1,
	};
	const struct kvfs_elf_file file = { .name = "memory" };
	const struct kview_info module = { .direct_map = DIRECT_MAP };
	struct kvfs_range range = { .start = 0x1000, .end = 0x9000 };
	const struct kvfs_iomem iomem = { .ram = &range, .nr_ram = 1 };
	struct kvfs_vmcoreinfo info;
	struct kvfs_memmap map, of_iomem;
	struct kvfs_elf core;
	struct kvfs_virt virt;
	uint64_t paddr = 0, len = 0;
	void *head;

	plan(8);
	is_int(kvfs_elf_build(segs, 2, &note, 1, HEAD_LEN, &head), 0, "a core is built");
	is_int(take_apart(head, &file, &core), 0, "its headers are read");
	is_int(kvfs_memmap_from_core(&core, &file, 0, 0, &map, NULL), 0, "a map is made of it");
	ok(map.nr_ram == 1 && map.image.vaddr == IMAGE_VADDR && strcmp(map.vmcoreinfo, INFO) == 0,
	   "RAM, image and VMCOREINFO are in it");
	info = (struct kvfs_vmcoreinfo){ .text = map.vmcoreinfo, .len = map.vmcoreinfo_len };
	is_int(kvfs_virt_init(&virt, &info, EM_X86_64, map.ram, map.nr_ram, read_phys, NULL, NULL), 0,
	       "VMCOREINFO leads to the page tables");
	is_int(kvfs_virt_translate(&virt, IMAGE_VADDR + 0x1234, &paddr, &len), 0, "an address is mapped");
	ok(paddr == IMAGE_PADDR + 0x1234 && len == 0x200000 - 0x1234, "by a page of 2 MiB");
	is_int(kvfs_memmap_from_iomem(&iomem, "ranges", &module, 0, 0, &of_iomem, NULL), 0,
	       "a map is made of ranges");
	kvfs_memmap_deinit(&of_iomem);
	kvfs_memmap_deinit(&map);
	kvfs_elf_deinit(&core);
	free(head);
	return finish();
}
