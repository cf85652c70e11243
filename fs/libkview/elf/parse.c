// SPDX-License-Identifier: GPL-2.0-only
#include "elf/parse.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/io.h"

#define VMCOREINFO_NAME "VMCOREINFO"

/* This program's own ELF header, put there by the linker: what "this machine" means. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* A core on its way in. */
struct input {
	int fd;
	const char *name;
	uint64_t file_len;		/* 0: not known */
	struct kvfs_err *err;
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr h32;
		Elf64_Ehdr h64;
	} ehdr;
	bool is64;
	uint64_t phoff, shoff;		/* of the program and section headers in the file */
	size_t phnum;
	size_t ehdr_len, phdr_len, shdr_len;	/* of one header of the file's class, bytes */
};

static void elf_endp(Elf **elf)
{
	elf_end(*elf);
}

#define _cleanup_elf_ __attribute__((cleanup(elf_endp)))

uint16_t kvfs_elf_native_machine(void)
{
	return __ehdr_start.e_machine;
}

/* Reads what a header says is there. */
static int read_part(const struct input *in, const char *what, void *buf, size_t len, uint64_t off)
{
	uint64_t end;
	ssize_t n;

	if (!kvfs_add_u64(off, len, &end) || end > INT64_MAX)
		return kvfs_err_set(in->err, EBADMSG, "%s: the %s would begin at byte 0x%" PRIx64,
				    in->name, what, off);
	n = kvfs_io_pread(in->fd, buf, len, off);
	if (n < 0)
		return kvfs_err_sys(in->err, (int)-n, "cannot read the %s of %s at bytes 0x%" PRIx64
				    "-0x%" PRIx64, what, in->name, off, end - 1);
	if ((size_t)n < len)
		return kvfs_err_set(in->err, ENODATA, "%s is truncated: the %s should be bytes 0x%"
				    PRIx64 "-0x%" PRIx64 " but the file ends at 0x%" PRIx64,
				    in->name, what, off, end - 1,
				    in->file_len ? in->file_len : off + (uint64_t)n);
	return 0;
}

/* Judges e_ident, after which the rest of the header can be read in its own class. */
static int check_ident(struct input *in, size_t got)
{
	const unsigned char *ident = in->ehdr.ident;

	if (got < EI_NIDENT || memcmp(ident, ELFMAG, SELFMAG))
		return kvfs_err_set(in->err, ENOEXEC, "%s is not an ELF file", in->name);
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return kvfs_err_set(in->err, ENOEXEC, "%s is an ELF file of the unknown class %u",
				    in->name, ident[EI_CLASS]);
	if (ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA])
		return kvfs_err_set(in->err, ENOEXEC,
				    "%s has another byte order than this machine (EI_DATA is %u)",
				    in->name, ident[EI_DATA]);
	if (ident[EI_VERSION] != EV_CURRENT)
		return kvfs_err_set(in->err, ENOEXEC, "%s is of the unknown ELF version %u",
				    in->name, ident[EI_VERSION]);
	in->is64 = ident[EI_CLASS] == ELFCLASS64;
	in->ehdr_len = in->is64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	in->phdr_len = in->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	in->shdr_len = in->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	if (got < in->ehdr_len)
		return kvfs_err_set(in->err, ENODATA,
				    "%s is truncated: it ends inside its ELF header, after %zu bytes",
				    in->name, got);
	return 0;
}

/* With PN_XNUM in e_phnum the number of program headers is in the first section header. */
static int read_extended_phnum(struct input *in)
{
	union {
		Elf32_Shdr h32;
		Elf64_Shdr h64;
	} shdr;
	int ret;

	if (!in->shoff)
		return kvfs_err_set(in->err, EBADMSG,
				    "%s: e_phnum is PN_XNUM but there is no section header", in->name);
	ret = read_part(in, "first section header", &shdr, in->shdr_len, in->shoff);
	if (ret)
		return ret;
	in->phnum = in->is64 ? shdr.h64.sh_info : shdr.h32.sh_info;
	if (in->phnum < PN_XNUM)
		return kvfs_err_set(in->err, EBADMSG,
				    "%s: e_phnum is PN_XNUM but the true number is %zu", in->name,
				    in->phnum);
	return 0;
}

static int read_ehdr(struct input *in)
{
	size_t type, phentsize;
	ssize_t n;
	int ret;

	n = kvfs_io_pread(in->fd, &in->ehdr, sizeof(in->ehdr), 0);
	if (n < 0)
		return kvfs_err_sys(in->err, (int)-n, "cannot read the ELF header of %s", in->name);
	ret = check_ident(in, (size_t)n);
	if (ret)
		return ret;
	type = in->is64 ? in->ehdr.h64.e_type : in->ehdr.h32.e_type;
	in->phoff = in->is64 ? in->ehdr.h64.e_phoff : in->ehdr.h32.e_phoff;
	in->shoff = in->is64 ? in->ehdr.h64.e_shoff : in->ehdr.h32.e_shoff;
	in->phnum = in->is64 ? in->ehdr.h64.e_phnum : in->ehdr.h32.e_phnum;
	phentsize = in->is64 ? in->ehdr.h64.e_phentsize : in->ehdr.h32.e_phentsize;
	if (type != ET_CORE)
		return kvfs_err_set(in->err, ENOEXEC, "%s is an ELF file but not a core (e_type is %zu)",
				    in->name, type);
	if (in->phnum && phentsize != in->phdr_len)
		return kvfs_err_set(in->err, EBADMSG, "%s: e_phentsize is %zu in place of %zu", in->name,
				    phentsize, in->phdr_len);
	if (in->phnum == PN_XNUM) {
		ret = read_extended_phnum(in);
		if (ret)
			return ret;
	}
	if (in->phnum > KVFS_ELF_HEAD_MAX / in->phdr_len)
		return kvfs_err_set(in->err, EBADMSG, "%s claims %zu program headers", in->name,
				    in->phnum);
	return 0;
}

/*
 * libelf gets to see a small image in memory in place of the file: the ELF header, and right
 * behind it either the program headers or one note segment. So it neither maps a /proc file
 * nor follows an offset of the file's. Returns the image, tail_len bytes of it for the caller
 * to fill in at *tail, or NULL.
 */
static char *make_image(const struct input *in, size_t phnum, size_t tail_len, char **tail)
{
	bool extended = phnum >= PN_XNUM;
	size_t shdr_len = extended ? in->shdr_len : 0;
	size_t shoff = extended ? in->ehdr_len + tail_len : 0;
	char *image = calloc(1, in->ehdr_len + tail_len + shdr_len);

	if (!image)
		return NULL;
	memcpy(image, &in->ehdr, in->ehdr_len);
	if (in->is64) {
		Elf64_Ehdr *h = (Elf64_Ehdr *)image;

		h->e_phoff = phnum ? in->ehdr_len : 0;
		h->e_phnum = extended ? PN_XNUM : (Elf64_Half)phnum;
		h->e_shoff = shoff;
		h->e_shentsize = sizeof(Elf64_Shdr);
		h->e_shnum = extended;
		h->e_shstrndx = SHN_UNDEF;
		if (extended)
			((Elf64_Shdr *)(image + shoff))->sh_info = (Elf64_Word)phnum;
	} else {
		Elf32_Ehdr *h = (Elf32_Ehdr *)image;

		h->e_phoff = phnum ? (Elf32_Off)in->ehdr_len : 0;
		h->e_phnum = extended ? PN_XNUM : (Elf32_Half)phnum;
		h->e_shoff = (Elf32_Off)shoff;
		h->e_shentsize = sizeof(Elf32_Shdr);
		h->e_shnum = extended;
		h->e_shstrndx = SHN_UNDEF;
		if (extended)
			((Elf32_Shdr *)(image + shoff))->sh_info = (Elf32_Word)phnum;
	}
	*tail = image + in->ehdr_len;
	return image;
}

static size_t image_len(const struct input *in, size_t phnum, size_t tail_len)
{
	return in->ehdr_len + tail_len + (phnum >= PN_XNUM ? in->shdr_len : 0);
}

/* Judges a PT_LOAD and adds it, cut to the length of the file. */
static int add_segment(const struct input *in, size_t index, const GElf_Phdr *ph,
		       struct kvfs_elf *core)
{
	uint64_t max_addr = in->is64 ? UINT64_MAX : UINT32_MAX;
	bool no_paddr = ph->p_paddr == max_addr;
	struct kvfs_segment *s;
	uint64_t end;

	if (ph->p_memsz == 0)
		return 0;
	if (ph->p_filesz > ph->p_memsz)
		return kvfs_err_set(in->err, EBADMSG, "%s: segment %zu has more bytes in the file (0x%"
				    PRIx64 ") than in memory (0x%" PRIx64 ")", in->name, index,
				    ph->p_filesz, ph->p_memsz);
	if (!kvfs_add_u64(ph->p_offset, ph->p_filesz, &end) || end > INT64_MAX)
		return kvfs_err_set(in->err, EBADMSG, "%s: segment %zu claims 0x%" PRIx64
				    " bytes at offset 0x%" PRIx64 ", which no file can have",
				    in->name, index, ph->p_filesz, ph->p_offset);
	if (ph->p_vaddr > max_addr || ph->p_memsz - 1 > max_addr - ph->p_vaddr)
		return kvfs_err_set(in->err, EBADMSG, "%s: segment %zu claims 0x%" PRIx64
				    " bytes at virtual address 0x%" PRIx64 ", beyond the last one",
				    in->name, index, ph->p_memsz, ph->p_vaddr);
	if (!no_paddr && ph->p_memsz - 1 > UINT64_MAX - ph->p_paddr)
		return kvfs_err_set(in->err, EBADMSG, "%s: segment %zu claims 0x%" PRIx64
				    " bytes at physical address 0x%" PRIx64 ", beyond the last one",
				    in->name, index, ph->p_memsz, ph->p_paddr);
	s = &core->segs[core->nr_segs++];
	*s = (struct kvfs_segment){
		.off = ph->p_offset,
		.len = ph->p_filesz,
		.memsz = ph->p_memsz,
		.vaddr = ph->p_vaddr,
		.paddr = no_paddr ? KVFS_NO_PADDR : ph->p_paddr,
	};
	if (in->file_len && ph->p_filesz && end > in->file_len) {
		s->len = in->file_len > s->off ? in->file_len - s->off : 0;
		if (!core->nr_cut++)
			core->first_cut = (struct kvfs_elf_cut){
				.index = index, .off = ph->p_offset, .len = ph->p_filesz,
			};
	}
	return 0;
}

/* Takes the VMCOREINFO out of the notes that fill the tail of an image. */
static int find_vmcoreinfo(const struct input *in, Elf *elf, const GElf_Phdr *ph,
			   struct kvfs_elf *core)
{
	Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)in->ehdr_len, ph->p_filesz,
					      ph->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	size_t off = 0, next, name_off, desc_off;
	GElf_Nhdr nhdr;

	if (!data)
		return kvfs_err_set(in->err, EBADMSG, "%s: the notes cannot be parsed: %s", in->name,
				    elf_errmsg(-1));
	for (; (next = gelf_getnote(data, off, &nhdr, &name_off, &desc_off)) > 0; off = next) {
		const char *buf = data->d_buf;

		if (nhdr.n_namesz != sizeof(VMCOREINFO_NAME) ||
		    memcmp(buf + name_off, VMCOREINFO_NAME, sizeof(VMCOREINFO_NAME)))
			continue;
		core->vmcoreinfo = strndup(buf + desc_off, nhdr.n_descsz);
		if (!core->vmcoreinfo)
			return kvfs_err_sys(in->err, ENOMEM, "cannot keep the VMCOREINFO of %s",
					    in->name);
		core->vmcoreinfo_len = strlen(core->vmcoreinfo);
		return 0;
	}
	if (data->d_size > off && data->d_size - off >= sizeof(GElf_Nhdr))
		return kvfs_err_set(in->err, EBADMSG, "%s: the note at byte 0x%" PRIx64
				    " runs beyond its segment", in->name, ph->p_offset + off);
	return 0;
}

/* Keeps a note segment for others to look into, each padded to where a note may begin. */
static int keep_notes(const struct input *in, const char *notes, size_t len,
		      struct kvfs_elf *core)
{
	size_t start = (core->notes_len + 3) & ~(size_t)3;
	char *bigger;

	if (len > KVFS_ELF_HEAD_MAX || start > KVFS_ELF_HEAD_MAX - len)
		return kvfs_err_set(in->err, EBADMSG, "%s claims too many bytes of notes", in->name);
	bigger = realloc(core->notes, start + len);
	if (!bigger)
		return kvfs_err_sys(in->err, ENOMEM, "cannot keep the notes of %s", in->name);
	memset(bigger + core->notes_len, 0, start - core->notes_len);
	memcpy(bigger + start, notes, len);
	core->notes = bigger;
	core->notes_len = start + len;
	return 0;
}

static int load_notes(const struct input *in, const GElf_Phdr *ph, struct kvfs_elf *core)
{
	_cleanup_free_ char *image = NULL;
	_cleanup_elf_ Elf *elf = NULL;
	char *notes;
	int ret;

	if (!ph->p_filesz)
		return 0;
	if (ph->p_filesz > KVFS_ELF_HEAD_MAX)
		return kvfs_err_set(in->err, EBADMSG, "%s claims 0x%" PRIx64 " bytes of notes",
				    in->name, ph->p_filesz);
	image = make_image(in, 0, ph->p_filesz, &notes);
	if (!image)
		return kvfs_err_sys(in->err, ENOMEM, "cannot read the notes of %s", in->name);
	ret = read_part(in, "note segment", notes, ph->p_filesz, ph->p_offset);
	if (ret == 0)
		ret = keep_notes(in, notes, ph->p_filesz, core);
	if (ret || core->vmcoreinfo)
		return ret;
	elf = elf_memory(image, image_len(in, 0, ph->p_filesz));
	if (!elf)
		return kvfs_err_set(in->err, EBADMSG, "%s: %s", in->name, elf_errmsg(-1));
	return find_vmcoreinfo(in, elf, ph, core);
}

static int load_phdrs(const struct input *in, struct kvfs_elf *core)
{
	size_t len = in->phnum * in->phdr_len;
	_cleanup_free_ char *image = NULL;
	_cleanup_elf_ Elf *elf = NULL;
	char *phdrs;
	int ret;

	if (!in->phnum)
		return 0;
	image = make_image(in, in->phnum, len, &phdrs);
	if (!image)
		return kvfs_err_sys(in->err, ENOMEM, "cannot read the program headers of %s", in->name);
	ret = read_part(in, "program header table", phdrs, len, in->phoff);
	if (ret)
		return ret;
	elf = elf_memory(image, image_len(in, in->phnum, len));
	for (size_t i = 0; i < in->phnum; i++) {
		GElf_Phdr ph;

		if (!elf || !gelf_getphdr(elf, (int)i, &ph))
			return kvfs_err_set(in->err, EBADMSG, "%s: program header %zu: %s", in->name, i,
					    elf_errmsg(-1));
		if (ph.p_type == PT_LOAD)
			ret = add_segment(in, i, &ph, core);
		else if (ph.p_type == PT_NOTE)
			ret = load_notes(in, &ph, core);
		if (ret)
			return ret;
	}
	return 0;
}

int kvfs_elf_load(int fd, const char *name, uint64_t file_len,
		  struct kvfs_elf *out, struct kvfs_err *err)
{
	struct input in = { .fd = fd, .name = name, .file_len = file_len, .err = err };
	struct kvfs_elf core = { 0 };
	int ret;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return kvfs_err_set(err, EOPNOTSUPP, "libelf is too old: %s", elf_errmsg(-1));
	ret = read_ehdr(&in);
	if (ret)
		return ret;
	core.machine = in.is64 ? in.ehdr.h64.e_machine : in.ehdr.h32.e_machine;
	core.elfclass = in.ehdr.ident[EI_CLASS];
	core.segs = calloc(in.phnum ? in.phnum : 1, sizeof(*core.segs));
	if (!core.segs)
		return kvfs_err_sys(err, ENOMEM, "cannot list the segments of %s", name);
	ret = load_phdrs(&in, &core);
	if (ret) {
		kvfs_elf_deinit(&core);
		return ret;
	}
	*out = core;
	return 0;
}

void kvfs_elf_deinit(struct kvfs_elf *core)
{
	if (!core)
		return;
	free(core->segs);
	free(core->vmcoreinfo);
	free(core->notes);
	*core = (struct kvfs_elf){ 0 };
}
