// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_elf.h"

#include <elf.h>
#include <errno.h>

#include "base/cleanup.h"
#include "elf/load.h"
#include "failalloc.h"
#include "unit.h"

#define PAGE 4096
#define TOP_TABLE 0x10000	/* physical; the lower levels follow */
#define IMAGE_PADDR 0x200000
#define IMAGE_VADDR 0xffffffff81200000ULL	/* with phys_base -0x1000000 */
#define DIRECT_MAP 0xffff9a8000000000ULL	/* moved by KASLR */
#define RAM_END 0x800000

/* Physical memory, in which a bad page is an error. */
static unsigned char mem[RAM_END];
static uint64_t bad_page;
static int bad_error = -EIO;

static int mem_read(struct kvfs_dump *dump, void *buf, size_t len, uint64_t off)
{
	if (bad_page && off / PAGE == bad_page / PAGE)
		return bad_error;
	ck_assert_uint_le(off + len, sizeof(mem));
	memcpy(buf, mem + off, len);
	return 0;
}

static void mem_destroy(struct kvfs_dump *dump)
{
}

static const struct kvfs_dump_ops ops = { .read = mem_read, .destroy = mem_destroy };

static void put_entry(uint64_t table, uint64_t index, uint64_t entry)
{
	memcpy(mem + table + index * 8, &entry, sizeof(entry));
}

/* 8 MiB of the direct map, and 4 MiB of the image, of which the last 2 are elsewhere. */
static void make_tables(void)
{
	uint64_t t = TOP_TABLE;

	memset(mem, 0, sizeof(mem));
	bad_page = 0;
	put_entry(t, DIRECT_MAP >> 39 & 511, (t + PAGE) | 1);
	put_entry(t + PAGE, DIRECT_MAP >> 30 & 511, (t + 2 * PAGE) | 1);
	for (uint64_t i = 0; i < 4; i++)
		put_entry(t + 2 * PAGE, i, i << 21 | 0x81);
	put_entry(t, 511, (t + 3 * PAGE) | 1);
	put_entry(t + 3 * PAGE, 510, (t + 4 * PAGE) | 1);
	put_entry(t + 4 * PAGE, 9, IMAGE_PADDR | 0x81);
	put_entry(t + 4 * PAGE, 10, (IMAGE_PADDR + 0x400000) | 0x81);
}

#define VMCOREINFO \
	"SYMBOL(swapper_pg_dir)=ffffffff81010000\n" \
	"NUMBER(phys_base)=-16777216\n" \
	"NUMBER(pgtable_l5_enabled)=0\n" \
	"SYMBOL(_stext)=ffffffff81200000\n"

/* ELF notes, one after another. */
static size_t put_note(char *notes, size_t at, const char *name, uint32_t type, const void *desc,
		       size_t len)
{
	const uint32_t head[3] = { (uint32_t)strlen(name) + 1, (uint32_t)len, type };

	memcpy(notes + at, head, sizeof(head));
	at += sizeof(head);
	memcpy(notes + at, name, head[0]);
	at += (head[0] + 3) / 4 * 4;
	memcpy(notes + at, desc, len);
	return at + (len + 3) / 4 * 4;
}

/* A dump with registers of a CPU, and VMCOREINFO among its notes unless it is NULL. */
static void make_dump(struct kvfs_dump *dump, const char *vmcoreinfo)
{
	static const char prstatus[336];
	char *notes = calloc(1, 4096);
	size_t len;

	ck_assert_ptr_nonnull(notes);
	len = put_note(notes, 0, "CORE", NT_PRSTATUS, prstatus, sizeof(prstatus));
	if (vmcoreinfo)
		len = put_note(notes, len, "VMCOREINFO", 0, vmcoreinfo, strlen(vmcoreinfo));
	*dump = (struct kvfs_dump) { .ops = &ops, .fd = -1 };
	ck_assert_int_eq(kvfs_elf_notes_add(&dump->notes, &(struct kvfs_elf_note_segment){
		.bytes = notes, .len = len, .align = 4,
	}), 0);
}

/* A bitmap; ranges of page frame numbers [first, end), ended by 0, 0. */
static struct kvfs_pfnmap make_map(const uint64_t (*ranges)[2], uint64_t nr_pfns)
{
	unsigned char *bytes = calloc(1, nr_pfns / 8 + 1);
	struct kvfs_pfnmap map;
	int fd;

	ck_assert_ptr_nonnull(bytes);
	for (; (*ranges)[1]; ranges++)
		for (uint64_t pfn = (*ranges)[0]; pfn < (*ranges)[1]; pfn++)
			bytes[pfn / 8] |= (unsigned char)(1 << pfn % 8);
	fd = unit_file(bytes, nr_pfns / 8 + 1);
	ck_assert_int_eq(kvfs_pfnmap_load(fd, 0, nr_pfns, &map), 0);
	close(fd);
	free(bytes);
	return map;
}

static const uint64_t two_ranges[][2] = { { 0, 0x80 }, { 0x100, RAM_END / PAGE }, { 0, 0 } };

static int make(struct kvfs_dump *dump, struct kvfs_err *err)
{
	struct kvfs_pfnmap map = make_map(two_ranges, RAM_END / PAGE);
	int ret;

	memset(err, 0, sizeof(*err));
	kvfs_kdump_elf_find_machine(dump, "x86_64");
	ret = kvfs_kdump_elf_find_vmcoreinfo(dump, err);
	if (ret == 0 && dump->vmcoreinfo)
		dump->vmcoreinfo_len = strlen(dump->vmcoreinfo);
	if (ret == 0)
		ret = kvfs_kdump_elf_make_ram(dump, &map, PAGE, err);
	if (ret == 0)
		ret = kvfs_kdump_elf_make(dump, PAGE, err);
	kvfs_pfnmap_deinit(&map);
	return ret;
}

/* The core as a file, which is read as any other core. */
static void load_core(struct kvfs_dump *dump, struct kvfs_elf *core)
{
	static unsigned char bytes[RAM_END + 1024 * 1024];
	struct kvfs_err err = { 0 };
	int fd;

	ck_assert_uint_le(dump->core.size, sizeof(bytes));
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->core, bytes, dump->core.size, 0),
			 (int)dump->core.size);
	fd = unit_file(bytes, dump->core.size);
	ck_assert_msg(kvfs_elf_load(fd, "core", dump->core.size, core, &err) == 0, "%s", err.msg);
	for (size_t i = 0; i < core->nr_segs; i++)
		ck_assert(memcmp(bytes + core->segs[i].off, mem + core->segs[i].paddr, core->segs[i].len) == 0);
	close(fd);
}

static void check_segment(const struct kvfs_segment *seg, uint64_t vaddr, uint64_t paddr, uint64_t len)
{
	ck_assert_uint_eq(seg->vaddr, vaddr);
	ck_assert_uint_eq(seg->paddr, paddr);
	ck_assert_uint_eq(seg->len, len);
	ck_assert_uint_eq(seg->memsz, len);
}

START_TEST(test_core)
{
	struct kvfs_elf core;
	struct kvfs_dump dump;
	struct kvfs_err err;

	make_tables();
	make_dump(&dump, VMCOREINFO);
	for (size_t i = IMAGE_PADDR; i < sizeof(mem); i++)
		mem[i] = (unsigned char)(i / 11);
	ck_assert_int_eq(make(&dump, &err), 0);
	load_core(&dump, &core);
	ck_assert_int_eq(core.machine, EM_X86_64);
	ck_assert_str_eq(core.vmcoreinfo, VMCOREINFO);
	ck_assert_uint_eq(core.nr_segs, 3);
	check_segment(&core.segs[0], IMAGE_VADDR, IMAGE_PADDR, 0x200000);
	check_segment(&core.segs[1], DIRECT_MAP, 0, 0x80000);
	check_segment(&core.segs[2], DIRECT_MAP + 0x100000, 0x100000, RAM_END - 0x100000);
	/* The image is not in the file twice. */
	ck_assert_uint_eq(core.segs[0].off, core.segs[2].off + IMAGE_PADDR - 0x100000);
	ck_assert_uint_eq(dump.ram.size, RAM_END);
	kvfs_elf_deinit(&core);
	kvfs_dump_close(&dump);
}
END_TEST

/* Freed parts of the image are not mapped; what is mapped after the image is not part of it. */
START_TEST(test_image_with_holes)
{
	struct kvfs_dump dump;
	struct kvfs_err err;

	make_tables();
	put_entry(TOP_TABLE + 4 * PAGE, 10, 0);
	put_entry(TOP_TABLE + 4 * PAGE, 11, (IMAGE_PADDR + 0x400000) | 0x81);
	put_entry(TOP_TABLE + 4 * PAGE, 40, 0x200000 | 0x81);
	make_dump(&dump, VMCOREINFO);
	ck_assert_int_eq(make(&dump, &err), 0);
	ck_assert_uint_eq(dump.nr_segs, 3);
	check_segment(&dump.segs[0], IMAGE_VADDR, IMAGE_PADDR, 0x600000);
	kvfs_dump_close(&dump);
}
END_TEST

/* What cannot be found out is left out; the core is good for physical addresses. */
static void check_bare(const char *vmcoreinfo, uint64_t bad)
{
	struct kvfs_elf core;
	struct kvfs_dump dump;
	struct kvfs_err err;

	make_tables();
	make_dump(&dump, vmcoreinfo);
	bad_page = bad;
	ck_assert_int_eq(make(&dump, &err), 0);
	bad_page = 0;
	load_core(&dump, &core);
	ck_assert_uint_eq(core.nr_segs, 2);
	check_segment(&core.segs[0], 0, 0, 0x80000);
	check_segment(&core.segs[1], 0, 0x100000, RAM_END - 0x100000);
	kvfs_elf_deinit(&core);
	kvfs_dump_close(&dump);
}

START_TEST(test_no_tables)
{
	check_bare(NULL, 0);
	check_bare("OSRELEASE=6.12\n", 0);
	check_bare("SYMBOL(swapper_pg_dir)=nonsense\nNUMBER(phys_base)=0\n", 0);
	/* Tables beyond memory, and tables that cannot be read. */
	check_bare("SYMBOL(swapper_pg_dir)=ffffffffa0000000\nNUMBER(phys_base)=0\n", 0);
	check_bare(VMCOREINFO, TOP_TABLE);
}
END_TEST

/* Tables that are only unavailable are an error, or the core would lack addresses for ever. */
START_TEST(test_tables_unavailable)
{
	static const int errors[] = { -ENOMEM, -EMFILE, -ESTALE };

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct kvfs_dump dump;
		struct kvfs_err err = { 0 };

		make_tables();
		make_dump(&dump, VMCOREINFO);
		bad_page = TOP_TABLE + PAGE;
		bad_error = errors[i];
		unit_assert_error(make(&dump, &err), -errors[i], err, "page tables");
		bad_page = 0;
		kvfs_dump_close(&dump);
	}
}
END_TEST

/* An image that no range of RAM holds is not in the dump. */
START_TEST(test_image_elsewhere)
{
	struct kvfs_dump dump;
	struct kvfs_err err;

	make_tables();
	put_entry(TOP_TABLE + 4 * PAGE, 9, 0x40000000 | 0x81);
	make_dump(&dump, VMCOREINFO);
	ck_assert_int_eq(make(&dump, &err), 0);
	ck_assert_uint_eq(dump.nr_segs, 2);
	ck_assert_uint_eq(dump.segs[0].vaddr, DIRECT_MAP);
	kvfs_dump_close(&dump);

	/* One that reaches over the end of RAM, or runs in a circle, likewise. */
	make_tables();
	for (uint64_t i = 9; i < 512; i++)
		put_entry(TOP_TABLE + 4 * PAGE, i, (IMAGE_PADDR + ((i - 9) << 21)) | 0x81);
	make_dump(&dump, VMCOREINFO);
	ck_assert_int_eq(make(&dump, &err), 0);
	ck_assert_uint_eq(dump.nr_segs, 2);
	kvfs_dump_close(&dump);
}
END_TEST

START_TEST(test_machines)
{
	static const struct { const char *name; size_t len; uint16_t want; } cases[] = {
		{ "x86_64", 1, EM_X86_64 }, { "aarch64", 336, EM_AARCH64 }, { "ppc64le", 1, EM_PPC64 },
		{ "riscv64", 1, EM_RISCV }, { "", 336, EM_X86_64 }, { "", 392, EM_AARCH64 },
		{ "s390x", 1, EM_NONE }, { "unknown", 504, EM_PPC64 }, { "", 376, EM_RISCV },
		{ "", 144, EM_386 },
	};
	static const char desc[512];
	char notes[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kvfs_elf_note_segment segment = { .bytes = notes, .align = 4 };
		struct kvfs_dump dump = { .notes = { .v = &segment, .n = 1 }, .machine = 42 };

		memset(notes, 0, sizeof(notes));
		segment.len = put_note(notes, 0, "CORE", NT_PRSTATUS, desc, cases[i].len);
		kvfs_kdump_elf_find_machine(&dump, cases[i].name);
		ck_assert_msg(dump.machine == cases[i].want, "case %zu: %u", i, dump.machine);
		dump.notes.n = 0;
		kvfs_kdump_elf_find_machine(&dump, "");
		ck_assert_uint_eq(dump.machine, EM_NONE);
	}
}
END_TEST

/* Runs beyond number become few, and none of them is lost. */
START_TEST(test_forged_bitmap)
{
	static uint64_t every_other[5001][2];
	struct kvfs_dump dump = { .ops = &ops, .fd = -1 };
	struct kvfs_err err = { 0 };
	struct kvfs_pfnmap map;

	for (uint64_t i = 0; i < 5000; i++) {
		every_other[i][0] = 3 * i + 1;
		every_other[i][1] = 3 * i + 2;
	}
	map = make_map(every_other, 15000);
	ck_assert_int_eq(kvfs_kdump_elf_make_ram(&dump, &map, PAGE, &err), 0);
	ck_assert_uint_ge(dump.nr_segs, 1);
	ck_assert_uint_le(dump.nr_segs, 4096);
	ck_assert_uint_eq(dump.segs[0].paddr, PAGE);
	ck_assert_uint_eq(dump.ram.size, 14999 * PAGE);
	ck_assert_int_eq(kvfs_kdump_elf_make(&dump, PAGE, &err), 0);
	kvfs_pfnmap_deinit(&map);
	kvfs_dump_close(&dump);
}
END_TEST

START_TEST(test_no_ram)
{
	static const uint64_t none[][2] = { { 0, 0 } };
	struct kvfs_pfnmap map = make_map(none, 1000);
	struct kvfs_dump dump = { .ops = &ops, .fd = -1 };
	struct kvfs_err err = { 0 };

	ck_assert_int_eq(kvfs_kdump_elf_make_ram(&dump, &map, PAGE, &err), 0);
	ck_assert_int_eq(kvfs_kdump_elf_make(&dump, PAGE, &err), 0);
	ck_assert_uint_eq(dump.nr_segs, 0);
	ck_assert_uint_eq(dump.ram.size, 0);
	ck_assert_uint_eq(dump.core.size, PAGE);
	kvfs_pfnmap_deinit(&map);
	kvfs_dump_close(&dump);
}
END_TEST

/* VMCOREINFO of a header that has none among its notes becomes a note. */
START_TEST(test_vmcoreinfo_elsewhere)
{
	struct kvfs_elf core;
	struct kvfs_dump dump;
	struct kvfs_err err;

	make_tables();
	make_dump(&dump, NULL);
	dump.vmcoreinfo = strdup("OSRELEASE=1\n");
	dump.vmcoreinfo_len = strlen(dump.vmcoreinfo);
	ck_assert_int_eq(make(&dump, &err), 0);
	load_core(&dump, &core);
	ck_assert_str_eq(core.vmcoreinfo, "OSRELEASE=1\n");
	kvfs_elf_deinit(&core);
	kvfs_dump_close(&dump);
}
END_TEST

START_TEST(test_out_of_memory)
{
	struct kvfs_pfnmap map = make_map(two_ranges, RAM_END / PAGE);
	struct kvfs_dump dump;
	struct kvfs_err err;
	int ret;

	for (int n = 0;; n++) {
		make_tables();
		make_dump(&dump, VMCOREINFO);
		kvfs_kdump_elf_find_machine(&dump, "x86_64");
		failalloc_arm(n);
		ret = kvfs_kdump_elf_find_vmcoreinfo(&dump, &err);
		if (ret == 0)
			ret = kvfs_kdump_elf_make_ram(&dump, &map, PAGE, &err);
		if (ret == 0)
			ret = kvfs_kdump_elf_make(&dump, PAGE, &err);
		kvfs_dump_close(&dump);
		if (!failalloc_happened())
			break;
		ck_assert_int_eq(ret, -ENOMEM);
	}
	ck_assert_int_eq(ret, 0);
	kvfs_pfnmap_deinit(&map);
}
END_TEST

UNIT_MAIN("dump/kdump_elf", test_core, test_image_with_holes, test_no_tables, test_tables_unavailable, test_image_elsewhere,
	  test_machines, test_forged_bitmap, test_no_ram, test_vmcoreinfo_elsewhere, test_out_of_memory)
