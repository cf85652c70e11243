// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkkdump: writes the memory of an ELF64 core as a kdump-compressed dump, as makedumpfile
 * would (its diskdump_mod.h is the format), with the faults that its options ask for.
 */
#include <elf.h>
#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mkkdump_compress.h"

#define PAGE 4096
#define MAX_RANGES 64

static const char usage[] =
	"Usage: mkkdump [OPTION]... ELF OUT\n"
	"\n"
	"  -c METHOD      compress pages: none, zlib, lzo, snappy, zstd (none)\n"
	"  -l             print the methods that there are, and exit\n"
	"  -x FIRST-END   leave out the pages [FIRST, END); can be repeated\n"
	"  -b FIRST-END   damage the bytes of these pages; can be repeated\n"
	"  -w FIRST-END   damage the descriptors of these pages; can be repeated\n"
	"  -p FIRST-END   write the part of a split dump with these pages\n"
	"  -F             write the flattened format\n";

struct range {
	uint64_t first, end;	/* PFNs */
};

struct ranges {
	struct range v[MAX_RANGES];
	size_t n;
};

/* The daemon's parser has the same structures: repeated here on purpose, as a test of it. */
struct header {
	char signature[8];
	uint32_t version;
	char utsname[6][65];
	char pad[6];
	uint64_t timestamp[2];
	uint32_t status, block_size, sub_blocks, map_blocks, max_mapnr, total_ram;
	uint32_t device_blocks, written, current_cpu, nr_cpus;
};

struct sub_header {
	uint64_t phys_base;
	uint32_t dump_level, split;
	uint64_t start_old, end_old, vmcoreinfo_off, vmcoreinfo_len, notes_off, notes_len;
	uint64_t erase_off, erase_len, start, end, max_mapnr;
};

struct desc {
	uint64_t off;
	uint32_t len, flags;
	uint64_t page_flags;
};

struct job {
	const unsigned char *elf;
	size_t elf_len;
	const char *method;
	struct ranges excluded, damaged, wrong;
	struct range part;
	bool split, flat;
	FILE *out;
	uint64_t out_off;		/* where the next bytes belong */
	uint64_t nr_pfns;
	unsigned char *ram_map, *dumped_map;
	size_t map_blocks;		/* of one map */
};

static bool in_ranges(const struct ranges *r, uint64_t pfn)
{
	for (size_t i = 0; i < r->n; i++) {
		if (pfn >= r->v[i].first && pfn < r->v[i].end)
			return true;
	}
	return false;
}

static struct range parse_range(const char *text)
{
	struct range r;

	if (sscanf(text, "%" SCNi64 "-%" SCNi64, (int64_t *)&r.first, (int64_t *)&r.end) != 2)
		errx(2, "'%s' is not FIRST-END", text);
	return r;
}

static void add_range(struct ranges *r, const char *text)
{
	if (r->n == MAX_RANGES)
		errx(2, "too many ranges");
	r->v[r->n++] = parse_range(text);
}

/* Writes bytes at an offset of the dump: in place, or as a piece of a flattened one. */
static void put(struct job *job, uint64_t off, const void *bytes, size_t len)
{
	uint64_t piece[2] = { htobe64(off), htobe64(len) };

	if (len == 0)
		return;
	if (job->flat)
		fwrite(piece, sizeof(piece), 1, job->out);
	else
		fseeko(job->out, (off_t)off, SEEK_SET);
	if (fwrite(bytes, len, 1, job->out) != 1)
		err(1, "write");
}

static const Elf64_Phdr *phdrs(const struct job *job, size_t *n)
{
	const Elf64_Ehdr *ehdr = (const Elf64_Ehdr *)job->elf;

	*n = ehdr->e_phnum;
	return (const Elf64_Phdr *)(job->elf + ehdr->e_phoff);
}

/* The bytes of a page: NULL if it is not RAM. */
static const unsigned char *page_of(const struct job *job, uint64_t pfn)
{
	static unsigned char page[PAGE];
	const Elf64_Phdr *ph;
	size_t n;

	ph = phdrs(job, &n);
	for (size_t i = 0; i < n; i++, ph++) {
		uint64_t start = ph->p_paddr, paddr = pfn * PAGE, have;

		if (ph->p_type != PT_LOAD || paddr < start || paddr - start >= ph->p_memsz)
			continue;
		have = paddr - start < ph->p_filesz ? ph->p_filesz - (paddr - start) : 0;
		memset(page, 0, sizeof(page));
		memcpy(page, job->elf + ph->p_offset + (paddr - start), have < PAGE ? have : PAGE);
		return page;
	}
	return NULL;
}

static void make_maps(struct job *job)
{
	const Elf64_Phdr *ph;
	size_t n, len;

	ph = phdrs(job, &n);
	for (size_t i = 0; i < n; i++) {
		uint64_t end = (ph[i].p_paddr + ph[i].p_memsz + PAGE - 1) / PAGE;

		if (ph[i].p_type == PT_LOAD && end > job->nr_pfns)
			job->nr_pfns = end;
	}
	job->map_blocks = (job->nr_pfns / 8 + PAGE) / PAGE;
	len = job->map_blocks * PAGE;
	job->ram_map = calloc(1, len);
	job->dumped_map = calloc(1, len);
	for (uint64_t pfn = 0; pfn < job->nr_pfns; pfn++) {
		if (!page_of(job, pfn))
			continue;
		job->ram_map[pfn / 8] |= (unsigned char)(1 << pfn % 8);
		if (!in_ranges(&job->excluded, pfn))
			job->dumped_map[pfn / 8] |= (unsigned char)(1 << pfn % 8);
	}
}

static void find_notes(const struct job *job, const unsigned char **notes, size_t *len)
{
	const Elf64_Phdr *ph;
	size_t n;

	*len = 0;
	ph = phdrs(job, &n);
	for (size_t i = 0; i < n; i++) {
		if (ph[i].p_type == PT_NOTE) {
			*notes = job->elf + ph[i].p_offset;
			*len = ph[i].p_filesz;
		}
	}
}

/* Writes header, sub header and notes, in this order. Returns their size in blocks. */
static uint32_t put_headers(struct job *job)
{
	struct header h = { .signature = "KDUMP   ", .version = htole32(6) };
	struct sub_header s = { .dump_level = htole32(31) };
	const unsigned char *notes = NULL;
	size_t notes_len;
	uint32_t sub_blocks;

	find_notes(job, &notes, &notes_len);
	sub_blocks = (uint32_t)((sizeof(s) + notes_len + PAGE - 1) / PAGE);
	/* As in uname(2); libkdumpfile ignores all of them if one is empty. */
	strcpy(h.utsname[0], "Linux");
	strcpy(h.utsname[1], "fixture");
	strcpy(h.utsname[2], "6.12.0-test");
	strcpy(h.utsname[3], "#1");
	strcpy(h.utsname[4], "x86_64");
	strcpy(h.utsname[5], "(none)");
	h.block_size = htole32(PAGE);
	h.sub_blocks = htole32(sub_blocks);
	h.map_blocks = htole32((uint32_t)job->map_blocks * 2);
	h.max_mapnr = htole32((uint32_t)job->nr_pfns);
	s.split = htole32(job->split);
	s.start = s.start_old = htole64(job->part.first);
	s.end = s.end_old = htole64(job->part.end);
	s.max_mapnr = htole64(job->nr_pfns);
	if (notes_len) {
		s.notes_off = htole64(PAGE + sizeof(s));
		s.notes_len = htole64(notes_len);
	}
	put(job, 0, &h, sizeof(h));
	put(job, PAGE, &s, sizeof(s));
	put(job, PAGE + sizeof(s), notes, notes_len);
	return 1 + sub_blocks;
}

static void put_page(struct job *job, uint64_t pfn, uint64_t desc_off, uint64_t *data_off)
{
	static unsigned char packed[2 * PAGE];
	const unsigned char *page = page_of(job, pfn);
	struct desc desc = { .off = htole64(*data_off) };
	uint32_t flag = 0;
	size_t len = mkkdump_compress(job->method, page, PAGE, packed, sizeof(packed), &flag);

	/* As makedumpfile: a page that does not get smaller is stored uncompressed. */
	if (len == 0 || len >= PAGE) {
		memcpy(packed, page, PAGE);
		len = PAGE;
		flag = 0;
	}
	if (in_ranges(&job->damaged, pfn))
		memset(packed, 0xff, len);
	desc.len = htole32(in_ranges(&job->wrong, pfn) ? 0x12345 : (uint32_t)len);
	desc.flags = htole32(flag);
	put(job, desc_off, &desc, sizeof(desc));
	put(job, *data_off, packed, len);
	*data_off += len;
}

static void put_dump(struct job *job)
{
	uint64_t map_off = (uint64_t)put_headers(job) * PAGE;
	uint64_t map_len = job->map_blocks * PAGE;
	uint64_t desc_off = map_off + 2 * map_len, data_off, nr = 0;

	put(job, map_off, job->ram_map, map_len);
	put(job, map_off + map_len, job->dumped_map, map_len);
	for (uint64_t pfn = job->part.first; pfn < job->part.end; pfn++)
		nr += job->dumped_map[pfn / 8] >> pfn % 8 & 1;
	data_off = desc_off + nr * sizeof(struct desc);
	for (uint64_t pfn = job->part.first; pfn < job->part.end; pfn++) {
		if (!(job->dumped_map[pfn / 8] >> pfn % 8 & 1))
			continue;
		put_page(job, pfn, desc_off, &data_off);
		desc_off += sizeof(struct desc);
	}
}

static void put_flat(struct job *job)
{
	static const uint64_t end[2] = { UINT64_MAX, UINT64_MAX };
	unsigned char head[4096] = "makedumpfile";

	head[23] = head[31] = 1;	/* type and version, big-endian */
	fwrite(head, sizeof(head), 1, job->out);
	put_dump(job);
	fwrite(end, sizeof(end), 1, job->out);
}

static void load_elf(struct job *job, const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", path);
	job->elf_len = (size_t)st.st_size;
	job->elf = mmap(NULL, job->elf_len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (job->elf == MAP_FAILED || memcmp(job->elf, ELFMAG "\2", SELFMAG + 1) != 0)
		errx(1, "%s is not an ELF64 file", path);
	close(fd);
}

int main(int argc, char *argv[])
{
	static struct job job = { .method = "none" };	/* its memory is in use to the end */
	int c;

	while ((c = getopt(argc, argv, "c:lx:b:w:p:F")) != -1) {
		switch (c) {
		case 'c': job.method = optarg; break;
		case 'l': mkkdump_list_methods(); return 0;
		case 'x': add_range(&job.excluded, optarg); break;
		case 'b': add_range(&job.damaged, optarg); break;
		case 'w': add_range(&job.wrong, optarg); break;
		case 'p': job.part = parse_range(optarg); job.split = true; break;
		case 'F': job.flat = true; break;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (argc - optind != 2) {
		fputs(usage, stderr);
		return 2;
	}
	load_elf(&job, argv[optind]);
	make_maps(&job);
	if (!job.split || job.part.end > job.nr_pfns)
		job.part.end = job.nr_pfns;
	job.out = fopen(argv[optind + 1], "w");
	if (!job.out)
		err(1, "%s", argv[optind + 1]);
	if (job.flat)
		put_flat(&job);
	else
		put_dump(&job);
	return fclose(job.out) == 0 ? 0 : 1;
}
