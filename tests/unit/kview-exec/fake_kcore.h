/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small machine for the tests of kview-exec: 64 pages of RAM with page tables in them, an
 * image, and the file that stands for /proc/kcore. All bytes of the file after its headers are
 * FAKE_KERNEL, which distinguishes the kernel's answers from mapped bytes.
 */
#ifndef FAKE_KCORE_H
#define FAKE_KCORE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FAKE_PAGE 4096
#define FAKE_RAM_PAGES 64
#define FAKE_KERNEL 0xee
#define FAKE_HEAD_LEN (2 * FAKE_PAGE)

#define FAKE_DIRECT_MAP 0xffff888000000000ULL
#define FAKE_VMALLOC 0xffffc90000000000ULL
#define FAKE_VMALLOC_LEN (16 * FAKE_PAGE)
#define FAKE_IMAGE 0xffffffff80000000ULL
#define FAKE_IMAGE_LEN (4 * FAKE_PAGE)

/* Offsets in the file. */
#define FAKE_OFF_RAM FAKE_HEAD_LEN
#define FAKE_OFF_HOLE (FAKE_OFF_RAM + FAKE_RAM_PAGES * FAKE_PAGE)
#define FAKE_OFF_VMALLOC (FAKE_OFF_HOLE + FAKE_PAGE)
#define FAKE_OFF_IMAGE (FAKE_OFF_VMALLOC + FAKE_VMALLOC_LEN)
#define FAKE_LEN (FAKE_OFF_IMAGE + FAKE_IMAGE_LEN)

/* Pages of RAM that hold tables; page 8 and those after it are data. */
enum { FAKE_TOP = 1, FAKE_L3, FAKE_L2, FAKE_L1, FAKE_TOP5 };

struct fake_kcore {
	unsigned char file[FAKE_LEN];
	uint64_t ram[FAKE_RAM_PAGES][FAKE_PAGE / 8];
	unsigned char image[FAKE_IMAGE_LEN];
};

static inline size_t fake_index(uint64_t vaddr, int level)
{
	return vaddr >> (12 + 9 * (level - 1)) & 511;
}

static inline void fake_map(struct fake_kcore *m, unsigned int page, uint64_t paddr)
{
	m->ram[FAKE_L1][fake_index(FAKE_VMALLOC, 1) + page] = paddr | 1;
}

static inline void fake_headers(struct fake_kcore *m, int levels)
{
	static const char name[] = "VMCOREINFO";
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)m->file;
	Elf64_Phdr *ph = (Elf64_Phdr *)(ehdr + 1);
	Elf64_Nhdr *note = (Elf64_Nhdr *)(ph + 4);
	char *desc = (char *)(note + 1) + 12;

	memset(m->file, 0, FAKE_HEAD_LEN);
	memset(m->file + FAKE_HEAD_LEN, FAKE_KERNEL, FAKE_LEN - FAKE_HEAD_LEN);
	memcpy(ehdr->e_ident, ELFMAG, SELFMAG);
	ehdr->e_ident[EI_CLASS] = ELFCLASS64;
	ehdr->e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr->e_ident[EI_VERSION] = EV_CURRENT;
	ehdr->e_type = ET_CORE;
	ehdr->e_machine = EM_X86_64;
	ehdr->e_phoff = sizeof(*ehdr);
	ehdr->e_phentsize = sizeof(*ph);
	ehdr->e_phnum = 4;
	sprintf(desc, "SYMBOL(swapper_pg_dir)=%llx\nNUMBER(phys_base)=0\nNUMBER(pgtable_l5_enabled)=%d\n",
		FAKE_IMAGE + (levels == 5 ? FAKE_TOP5 : FAKE_TOP) * FAKE_PAGE, levels == 5);
	note->n_namesz = sizeof(name);
	note->n_descsz = (Elf64_Word)strlen(desc);
	memcpy(note + 1, name, sizeof(name));
	ph[0] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = (uint64_t)((char *)note - (char *)ehdr),
			      .p_filesz = sizeof(*note) + 12 + note->n_descsz };
	ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = FAKE_OFF_IMAGE, .p_vaddr = FAKE_IMAGE,
			      .p_paddr = 40 * FAKE_PAGE, .p_filesz = FAKE_IMAGE_LEN, .p_memsz = FAKE_IMAGE_LEN };
	ph[2] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = FAKE_OFF_VMALLOC, .p_vaddr = FAKE_VMALLOC,
			      .p_paddr = UINT64_MAX, .p_filesz = FAKE_VMALLOC_LEN, .p_memsz = FAKE_VMALLOC_LEN };
	ph[3] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = FAKE_OFF_RAM, .p_vaddr = FAKE_DIRECT_MAP,
			      .p_filesz = FAKE_RAM_PAGES * FAKE_PAGE, .p_memsz = FAKE_RAM_PAGES * FAKE_PAGE };
}

/* Data pages hold their own number in each word; vmalloc's first pages map 20, 10 and 30. */
static inline void fake_make(struct fake_kcore *m, int levels)
{
	memset(m, 0, sizeof(*m));
	fake_headers(m, levels);
	for (int page = 8; page < FAKE_RAM_PAGES; page++)
		for (int i = 0; i < FAKE_PAGE / 8; i++)
			m->ram[page][i] = (uint64_t)page << 32 | (unsigned int)i;
	memset(m->image, 0x1a, sizeof(m->image));
	m->ram[FAKE_TOP5][fake_index(FAKE_VMALLOC, 5)] = FAKE_TOP * FAKE_PAGE | 1;
	m->ram[FAKE_TOP][fake_index(FAKE_VMALLOC, 4)] = FAKE_L3 * FAKE_PAGE | 1;
	m->ram[FAKE_L3][fake_index(FAKE_VMALLOC, 3)] = FAKE_L2 * FAKE_PAGE | 1;
	m->ram[FAKE_L2][fake_index(FAKE_VMALLOC, 2)] = FAKE_L1 * FAKE_PAGE | 1;
	fake_map(m, 0, 20 * FAKE_PAGE);
	fake_map(m, 1, 10 * FAKE_PAGE);
	fake_map(m, 2, 30 * FAKE_PAGE);
	/* What the library compares at its start. */
	memcpy(m->file + FAKE_OFF_VMALLOC, m->ram[20], 64);
}

#endif /* FAKE_KCORE_H */
