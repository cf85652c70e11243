// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_elf.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "dump/format.h"
#include "elf/build.h"
#include "elf/notes.h"
#include "kernel/virt.h"

/* Most runs of RAM that become a segment each. Machines have some ten; forged bitmaps, millions. */
#define MAX_RUNS 4096

/* x86-64: where the direct map can begin (Documentation/arch/x86/x86_64/mm.rst). */
#define DIRECT_MAP_L4 0xffff888000000000ULL
#define DIRECT_MAP_L5 0xff11000000000000ULL
/* Bytes of the longest kernel image: KERNEL_IMAGE_SIZE. */
#define MAX_IMAGE_LEN (1ULL << 30)

/* QEMU does not write the name of the machine, but the length of an NT_PRSTATUS tells it. */
static const struct {
	const char *name;
	uint16_t machine;
	size_t prstatus_len;	/* bytes */
} machines[] = {
	{ "x86_64", EM_X86_64, 336 },
	{ "aarch64", EM_AARCH64, 392 },
	{ "ppc64le", EM_PPC64, 504 },
	{ "riscv64", EM_RISCV, 376 },
	{ "i686", EM_386, 144 },	/* or an x86-64 machine whose first CPU is not in long mode */
};

void kvfs_kdump_elf_find_machine(struct kvfs_dump *dump, const char *name)
{
	struct kvfs_elf_note note = { .desc_len = 0 };

	kvfs_elf_notes_prstatus(&dump->notes, 0, &note);
	dump->machine = EM_NONE;
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		if (strcmp(machines[i].name, name) == 0) {
			dump->machine = machines[i].machine;
			return;
		}
		if (note.desc_len == machines[i].prstatus_len)
			dump->machine = machines[i].machine;
	}
}

int kvfs_kdump_elf_find_vmcoreinfo(struct kvfs_dump *dump, struct kvfs_err *err)
{
	struct kvfs_elf_note note;

	if (!kvfs_elf_notes_vmcoreinfo(&dump->notes, &note))
		return 0;
	dump->vmcoreinfo = strndup(note.desc, note.desc_len);
	return dump->vmcoreinfo ? 0 : kvfs_err_sys(err, ENOMEM, "VMCOREINFO");
}

/* Fills segs with at most max runs, joining those at most gap pages apart. Returns how many. */
static size_t find_runs(const struct kvfs_pfnmap *ram, uint64_t gap, uint64_t page_size,
			struct kvfs_segment *segs, size_t max)
{
	uint64_t pfn = 0;
	size_t n = 0;

	while ((pfn = kvfs_pfnmap_next_set(ram, pfn, ram->nr_pfns)) < ram->nr_pfns) {
		uint64_t end = kvfs_pfnmap_next_clear(ram, pfn, ram->nr_pfns);
		uint64_t paddr = pfn * page_size, len = (end - pfn) * page_size;

		if (n > 0 && paddr - (segs[n - 1].paddr + segs[n - 1].memsz) <= gap * page_size) {
			segs[n - 1].len = segs[n - 1].memsz = paddr + len - segs[n - 1].paddr;
		} else {
			if (n == max)
				return max + 1;
			segs[n++] = (struct kvfs_segment) { .len = len, .memsz = len, .paddr = paddr };
		}
		pfn = end;
	}
	return n;
}

int kvfs_kdump_elf_make_ram(struct kvfs_dump *dump, const struct kvfs_pfnmap *ram,
			    uint32_t page_size, struct kvfs_err *err)
{
	uint64_t gap = 0;
	int ret;

	/* One more, for the kernel image. */
	dump->segs = calloc(MAX_RUNS + 1, sizeof(*dump->segs));
	if (!dump->segs)
		return kvfs_err_sys(err, ENOMEM, "the segments");
	do {
		dump->nr_segs = find_runs(ram, gap, page_size, dump->segs, MAX_RUNS);
		gap = gap ? gap * 2 : 1;
	} while (dump->nr_segs > MAX_RUNS);
	ret = kvfs_dump_make_ram(dump, true);
	return ret < 0 ? kvfs_err_sys(err, -ret, "the map of memory") : 0;
}

/* Where the kernel is, by its page tables. */
struct kernel {
	bool has_direct_map;
	uint64_t direct_map;	/* virtual address of physical address 0 */
	struct kvfs_segment image;	/* memsz 0 if it is not known */
};

/*
 * The length of the image, which may have holes: with page table isolation the kernel unmaps the
 * parts that it frees (free_kernel_image_pages()). Modules, mapped after it, are elsewhere in memory.
 */
static uint64_t measure_image(const struct kvfs_virt *mem, uint64_t vaddr, uint64_t paddr)
{
	uint64_t len = 0, next, at, run;

	while (kvfs_pagewalk_first(&mem->walk, vaddr + len, &next, &at) == 0 &&
	       next - vaddr < MAX_IMAGE_LEN && at - paddr == next - vaddr &&
	       kvfs_pagewalk(&mem->walk, next, &at, &run) == 0)
		len = next - vaddr + run;
	return len;
}

/* Reads page tables for the walk, which takes those that cannot be read for empty ones. */
struct table_reader {
	struct kvfs_dump *dump;
	int error;		/* the first -errno that does not come from the dump; 0 if there is none */
};

static int read_table(void *arg, void *buf, size_t len, uint64_t paddr)
{
	struct table_reader *reader = arg;
	int ret = kvfs_dump_read_phys(reader->dump, buf, len, paddr);

	/* EIO may be of one page. Its table is left out, so that the other pages can be shown. */
	if (ret < 0 && ret != -EIO && reader->error == 0)
		reader->error = ret;
	return ret;
}

/* Returns 0, whether the kernel is found or not, or -errno if tables are unavailable now. */
static int find_kernel(struct kvfs_dump *dump, struct kernel *kernel)
{
	const struct kvfs_vmcoreinfo info = { .text = dump->vmcoreinfo, .len = dump->vmcoreinfo_len };
	struct table_reader reader = { .dump = dump };
	struct kvfs_virt mem;
	uint64_t vaddr, paddr, run;

	*kernel = (struct kernel) { .has_direct_map = false };
	if (!dump->vmcoreinfo ||
	    kvfs_virt_init(&mem, &info, dump->machine, NULL, 0, read_table, &reader, NULL) < 0)
		return reader.error;
	vaddr = mem.walk.levels == 5 ? DIRECT_MAP_L5 : DIRECT_MAP_L4;
	if (kvfs_pagewalk_first(&mem.walk, vaddr, &vaddr, &paddr) == 0) {
		kernel->has_direct_map = true;
		kernel->direct_map = vaddr - paddr;
	}
	if (kvfs_vmcoreinfo_hex(&info, "SYMBOL(_stext)", &vaddr) == 0 &&
	    kvfs_pagewalk(&mem.walk, vaddr, &paddr, &run) == 0) {
		kernel->image = (struct kvfs_segment) { .vaddr = vaddr, .paddr = paddr };
		kernel->image.memsz = kernel->image.len = measure_image(&mem, vaddr, paddr);
	}
	return reader.error;
}

/* The segment that holds all of the image; NULL if the image is not in one. */
static const struct kvfs_segment *find_holder(const struct kvfs_dump *dump,
					      const struct kvfs_segment *image)
{
	for (size_t i = 0; i < dump->nr_segs; i++) {
		const struct kvfs_segment *seg = &dump->segs[i];

		if (image->paddr >= seg->paddr && image->paddr - seg->paddr < seg->memsz &&
		    image->memsz <= seg->memsz - (image->paddr - seg->paddr))
			return seg;
	}
	return NULL;
}

/*
 * Sets the offsets in core: segments follow each other, and the image is part of one. Returns how
 * many segments are part of another, and come first: 0 or 1.
 */
static size_t place_segments(struct kvfs_dump *dump, const struct kernel *kernel, uint64_t head_len)
{
	struct kvfs_segment image = kernel->image;
	const struct kvfs_segment *holder;
	uint64_t off = head_len;

	for (size_t i = 0; i < dump->nr_segs; i++) {
		dump->segs[i].off = off;
		if (kernel->has_direct_map)
			dump->segs[i].vaddr = kernel->direct_map + dump->segs[i].paddr;
		off += dump->segs[i].len;
	}
	holder = image.memsz ? find_holder(dump, &image) : NULL;
	if (!holder)
		return 0;
	image.off = holder->off + (image.paddr - holder->paddr);
	memmove(dump->segs + 1, dump->segs, dump->nr_segs * sizeof(*dump->segs));
	dump->segs[0] = image;
	dump->nr_segs++;
	return 1;
}

static int make_table(struct kvfs_dump *dump, uint64_t head_len, size_t first)
{
	const struct kvfs_extent head = {
		.len = head_len, .kind = KVFS_EXTENT_BLOB, .blob = dump->core_head,
	};
	int ret = kvfs_extents_add(&dump->core, &head);

	for (size_t i = first; i < dump->nr_segs && ret == 0; i++) {
		const struct kvfs_segment *seg = &dump->segs[i];
		const struct kvfs_extent e = {
			.off = seg->off, .len = seg->len, .kind = KVFS_EXTENT_FILE, .file_off = seg->paddr,
		};

		ret = kvfs_extents_add(&dump->core, &e);
	}
	return ret;
}

/* All notes of the dump, and VMCOREINFO if it is not among them. The caller frees *out. */
static int list_notes(const struct kvfs_dump *dump, struct kvfs_elf_new_note **out, size_t *nr,
		      uint64_t *len)
{
	struct kvfs_elf_new_note *v;
	struct kvfs_elf_note note;
	struct kvfs_elf_notes_pos pos = { 0 };
	size_t n = 0;

	while (kvfs_elf_notes_next(&dump->notes, &pos, &note))
		n++;
	v = calloc(n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	*len = 0;
	pos = (struct kvfs_elf_notes_pos){ 0 };
	for (n = 0; kvfs_elf_notes_next(&dump->notes, &pos, &note); n++)
		v[n] = (struct kvfs_elf_new_note) {
			.name = note.name, .name_len = note.name_len, .type = note.type,
			.desc = note.desc, .desc_len = note.desc_len,
		};
	if (dump->vmcoreinfo && !kvfs_elf_notes_vmcoreinfo(&dump->notes, &note))
		v[n++] = (struct kvfs_elf_new_note) {
			.name = "VMCOREINFO", .name_len = strlen("VMCOREINFO"),
			.desc = dump->vmcoreinfo, .desc_len = dump->vmcoreinfo_len,
		};
	for (size_t i = 0; i < n; i++)
		*len += sizeof(Elf64_Nhdr) + v[i].name_len + 1 + v[i].desc_len + 6;
	*out = v;
	*nr = n;
	return 0;
}

int kvfs_kdump_elf_make(struct kvfs_dump *dump, uint32_t page_size, struct kvfs_err *err)
{
	_cleanup_free_ struct kvfs_elf_new_note *notes = NULL;
	struct kernel kernel;
	uint64_t head_len;
	size_t nr_notes, first;
	int ret;

	ret = list_notes(dump, &notes, &nr_notes, &head_len);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "the notes");
	head_len += sizeof(Elf64_Ehdr) + (dump->nr_segs + 2) * sizeof(Elf64_Phdr);
	/* A few MiB at most, rounded up: cannot overflow. */
	head_len = (head_len + page_size - 1) / page_size * page_size;
	ret = find_kernel(dump, &kernel);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "cannot read the kernel's page tables");
	first = place_segments(dump, &kernel, head_len);
	ret = kvfs_elf_build(dump->segs, dump->nr_segs, notes, nr_notes, head_len, &dump->core_head);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "the ELF header of the dump");
	((Elf64_Ehdr *)dump->core_head)->e_machine = dump->machine;
	ret = make_table(dump, head_len, first);
	return ret < 0 ? kvfs_err_sys(err, -ret, "the ELF core of the dump") : 0;
}
