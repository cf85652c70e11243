// SPDX-License-Identifier: GPL-2.0-only
#include "mkelf_file.h"

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096ULL
#define CHUNK_LEN (64 * 1024)	/* bytes written at a time */

/* This program's own ELF header, put there by the linker. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* Where things lie in the file. */
struct layout {
	bool is64;
	size_t ehdr_len, phdr_len, shdr_len;
	size_t nr_phdrs;	/* with the PT_NOTE */
	uint64_t phoff, notes_off, shoff;
	uint64_t end;		/* of the parts placed so far */
};

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
	return value == MKELF_UNSET ? fallback : value;
}

static bool write_all(int fd, const void *buf, size_t len, uint64_t off)
{
	const char *p = buf;

	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

static struct layout lay_out(const struct mkelf *m)
{
	struct layout l = { .is64 = m->elfclass != ELFCLASS32 };

	l.ehdr_len = l.is64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	l.phdr_len = l.is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	l.shdr_len = l.is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	l.nr_phdrs = m->nr_phdrs + (m->notes_len ? 1 : 0);
	l.phoff = l.ehdr_len;
	l.notes_off = l.phoff + l.nr_phdrs * l.phdr_len;
	l.end = l.notes_off + m->notes_len;
	if (m->xnum) {
		l.shoff = (l.end + 7) / 8 * 8;
		l.end = l.shoff + l.shdr_len;
	}
	return l;
}

/* Gives each PT_LOAD without an offset the next free page of the file. */
static void place_loads(const struct mkelf *m, struct layout *l)
{
	for (size_t i = 0; i < m->nr_phdrs; i++) {
		Elf64_Phdr *ph = &m->phdrs[i];

		if (ph->p_type != PT_LOAD || ph->p_offset != MKELF_UNSET)
			continue;
		ph->p_offset = (l->end + PAGE - 1) / PAGE * PAGE;
		l->end = ph->p_offset + ph->p_filesz;
	}
}

static bool write_ehdr(const struct mkelf *m, const struct layout *l, int fd)
{
	uint64_t phnum = or_default(m->phnum, l->nr_phdrs);
	Elf64_Ehdr h = {
		.e_type = (Elf64_Half)m->type,
		.e_machine = (Elf64_Half)or_default(m->machine, __ehdr_start.e_machine),
		.e_version = EV_CURRENT,
		.e_phoff = or_default(m->phoff, l->nr_phdrs ? l->phoff : 0),
		.e_shoff = or_default(m->shoff, l->shoff),
		.e_ehsize = (Elf64_Half)l->ehdr_len,
		.e_phentsize = (Elf64_Half)or_default(m->phentsize, l->phdr_len),
		.e_phnum = m->xnum ? PN_XNUM : (Elf64_Half)phnum,
		.e_shentsize = m->xnum ? (Elf64_Half)l->shdr_len : 0,
		.e_shnum = m->xnum,
	};
	Elf32_Ehdr h32;

	memcpy(h.e_ident, ELFMAG, SELFMAG);
	h.e_ident[EI_CLASS] = (unsigned char)m->elfclass;
	h.e_ident[EI_DATA] = (unsigned char)or_default(m->data, __ehdr_start.e_ident[EI_DATA]);
	h.e_ident[EI_VERSION] = (unsigned char)m->version;
	if (l->is64)
		return write_all(fd, &h, sizeof(h), 0);
	h32 = (Elf32_Ehdr){
		.e_type = h.e_type, .e_machine = h.e_machine, .e_version = h.e_version,
		.e_phoff = (Elf32_Off)h.e_phoff, .e_shoff = (Elf32_Off)h.e_shoff,
		.e_ehsize = h.e_ehsize, .e_phentsize = h.e_phentsize, .e_phnum = h.e_phnum,
		.e_shentsize = h.e_shentsize, .e_shnum = h.e_shnum,
	};
	memcpy(h32.e_ident, h.e_ident, sizeof(h32.e_ident));
	return write_all(fd, &h32, sizeof(h32), 0);
}

/* With PN_XNUM the first section header has the number of program headers. */
static bool write_shdr(const struct mkelf *m, const struct layout *l, int fd)
{
	uint64_t phnum = or_default(m->phnum, l->nr_phdrs);
	Elf64_Shdr h64 = { .sh_info = (Elf64_Word)phnum, .sh_size = 1 };
	Elf32_Shdr h32 = { .sh_info = (Elf32_Word)phnum, .sh_size = 1 };

	if (!m->xnum)
		return true;
	if (l->is64)
		return write_all(fd, &h64, sizeof(h64), l->shoff);
	return write_all(fd, &h32, sizeof(h32), l->shoff);
}

static bool write_phdr(const struct layout *l, const Elf64_Phdr *ph, size_t i, int fd)
{
	uint64_t off = l->phoff + i * l->phdr_len;
	Elf32_Phdr h32 = {
		.p_type = ph->p_type, .p_offset = (Elf32_Off)ph->p_offset,
		.p_vaddr = (Elf32_Addr)ph->p_vaddr, .p_paddr = (Elf32_Addr)ph->p_paddr,
		.p_filesz = (Elf32_Word)ph->p_filesz, .p_memsz = (Elf32_Word)ph->p_memsz,
		.p_flags = ph->p_flags, .p_align = (Elf32_Word)ph->p_align,
	};

	if (l->is64)
		return write_all(fd, ph, sizeof(*ph), off);
	return write_all(fd, &h32, sizeof(h32), off);
}

static bool write_phdrs(const struct mkelf *m, const struct layout *l, int fd)
{
	size_t i = 0;

	if (m->notes_len) {
		const Elf64_Phdr note = {
			.p_type = PT_NOTE,
			.p_offset = or_default(m->notes_off, l->notes_off),
			.p_filesz = or_default(m->notes_filesz, m->notes_len),
			.p_align = m->notes_align,
		};

		if (!write_phdr(l, &note, i++, fd))
			return false;
	}
	for (size_t j = 0; j < m->nr_phdrs; j++)
		if (!write_phdr(l, &m->phdrs[j], i++, fd))
			return false;
	return true;
}

static const Elf64_Phdr *find_load(const struct mkelf *m, size_t number)
{
	for (size_t i = 0; i < m->nr_phdrs; i++)
		if (m->phdrs[i].p_type == PT_LOAD && number-- == 0)
			return &m->phdrs[i];
	return NULL;
}

/* Fills a chunk of a segment; at is where in the segment it begins. */
static void make_chunk(const struct mkelf_fill *f, uint64_t addr, uint64_t at, unsigned char *buf,
		       size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t word = addr + ((at + i) & ~7ULL);

		buf[i] = f->addr ? ((unsigned char *)&word)[(at + i) & 7] : f->byte;
	}
}

static const char *write_fill(const struct mkelf *m, const struct mkelf_fill *f, int fd)
{
	static unsigned char buf[CHUNK_LEN];
	const Elf64_Phdr *ph = find_load(m, f->load);
	uint64_t addr, len;

	if (!ph)
		return "fill: there is no such load";
	if (f->at > ph->p_filesz)
		return "fill: at is past the end of the segment";
	len = or_default(f->len, ph->p_filesz - f->at);
	if (f->text)
		return write_all(fd, f->text, len, ph->p_offset + f->at) ? NULL : "cannot write";
	addr = ph->p_paddr == MKELF_UNSET ? ph->p_vaddr : ph->p_paddr;
	for (uint64_t done = 0; done < len;) {
		size_t n = len - done < CHUNK_LEN ? (size_t)(len - done) : CHUNK_LEN;

		make_chunk(f, addr, f->at + done, buf, n);
		if (!write_all(fd, buf, n, ph->p_offset + f->at + done))
			return "cannot write";
		done += n;
	}
	return NULL;
}

const char *mkelf_file_write(const struct mkelf *m, int fd)
{
	struct layout l = lay_out(m);

	place_loads(m, &l);
	if (ftruncate(fd, (off_t)l.end))
		return "cannot set the size of the file";
	if (!write_ehdr(m, &l, fd) || !write_phdrs(m, &l, fd) || !write_shdr(m, &l, fd) ||
	    !write_all(fd, m->notes, m->notes_len, l.notes_off))
		return "cannot write";
	for (size_t i = 0; i < m->nr_fills; i++) {
		const char *what = write_fill(m, &m->fills[i], fd);

		if (what)
			return what;
	}
	for (size_t i = 0; i < m->nr_pokes; i++)
		if (!write_all(fd, m->pokes[i].bytes, m->pokes[i].len, m->pokes[i].off))
			return "cannot write";
	if (m->size != MKELF_UNSET && ftruncate(fd, (off_t)m->size))
		return "cannot set the size of the file";
	return NULL;
}
