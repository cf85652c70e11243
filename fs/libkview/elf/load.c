// SPDX-License-Identifier: GPL-2.0-only
#include "elf/load.h"

#include <errno.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/io.h"

/* A header as it is in the file, of either class. */
union raw {
	unsigned char ident[EI_NIDENT];
	Elf32_Ehdr ehdr32;
	Elf64_Ehdr ehdr64;
	Elf32_Phdr phdr32;
	Elf64_Phdr phdr64;
	Elf32_Shdr shdr32;
	Elf64_Shdr shdr64;
};

/* A core while it is being read. */
struct input {
	int fd;
	struct kvfs_elf_file file;
	struct kvfs_err *err;
	bool is64;
	uint8_t data;				/* EI_DATA */
	size_t ehdr_len, phdr_len, shdr_len;	/* of one header of the file's class, bytes */
	uint16_t machine;
	uint64_t phoff, shoff;			/* of the program and section headers in the file */
	size_t phnum;
};

/* Reads bytes that a header claims; what names them. */
static int read_part(const struct input *in, const char *what, void *buf, size_t len, uint64_t off)
{
	const char *name = in->file.name;
	uint64_t end;
	ssize_t n;

	if (!kvfs_add_u64(off, len, &end) || end > INT64_MAX)
		return kvfs_err_set(in->err, EBADMSG, "%s: the %s would begin at byte 0x%" PRIx64, name,
				    what, off);
	n = kvfs_io_pread(in->fd, buf, len, off);
	if (n < 0)
		return kvfs_err_sys(in->err, (int)-n, "cannot read the %s of %s at bytes 0x%" PRIx64
				    "-0x%" PRIx64, what, name, off, end - 1);
	if ((size_t)n < len)
		return kvfs_err_set(in->err, ENODATA, "%s is truncated: the %s should be bytes 0x%"
				    PRIx64 "-0x%" PRIx64 " but the file ends at 0x%" PRIx64, name, what,
				    off, end - 1, in->file.len ? in->file.len : off + (uint64_t)n);
	return 0;
}

/* Translates a header of len bytes to the form that C has for it, in the file's class. */
static int translate(const struct input *in, Elf_Type type, const void *bytes, size_t len,
		     union raw *out)
{
	Elf_Data from = { .d_buf = (void *)bytes, .d_type = type, .d_size = len, .d_version = EV_CURRENT };
	Elf_Data to = { .d_buf = out, .d_type = type, .d_size = sizeof(*out), .d_version = EV_CURRENT };

	if (in->is64 ? elf64_xlatetom(&to, &from, in->data) : elf32_xlatetom(&to, &from, in->data))
		return 0;
	return kvfs_err_set(in->err, EBADMSG, "%s: %s", in->file.name, elf_errmsg(-1));
}

/* Judges e_ident, of got bytes that could be read: then the rest can be read in its own class. */
static int check_ident(struct input *in, const unsigned char *ident, size_t got)
{
	const char *name = in->file.name;

	if (got < EI_NIDENT || memcmp(ident, ELFMAG, SELFMAG))
		return kvfs_err_set(in->err, ENOEXEC, "%s is not an ELF file", name);
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return kvfs_err_set(in->err, ENOEXEC, "%s is an ELF file of the unknown class %u", name,
				    ident[EI_CLASS]);
	if (ident[EI_DATA] != kvfs_elf_native_data())
		return kvfs_err_set(in->err, ENOEXEC,
				    "%s has another byte order than this machine (EI_DATA is %u)", name,
				    ident[EI_DATA]);
	if (ident[EI_VERSION] != EV_CURRENT)
		return kvfs_err_set(in->err, ENOEXEC, "%s is of the unknown ELF version %u", name,
				    ident[EI_VERSION]);
	in->is64 = ident[EI_CLASS] == ELFCLASS64;
	in->data = ident[EI_DATA];
	in->ehdr_len = in->is64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	in->phdr_len = in->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	in->shdr_len = in->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	if (got < in->ehdr_len)
		return kvfs_err_set(in->err, ENODATA,
				    "%s is truncated: it ends inside its ELF header, after %zu bytes",
				    name, got);
	return 0;
}

/* With PN_XNUM in e_phnum the number of program headers is in the first section header. */
static int read_extended_phnum(struct input *in)
{
	union raw bytes, shdr;
	int ret;

	if (!in->shoff)
		return kvfs_err_set(in->err, EBADMSG,
				    "%s: e_phnum is PN_XNUM but there is no section header",
				    in->file.name);
	ret = read_part(in, "first section header", &bytes, in->shdr_len, in->shoff);
	if (ret == 0)
		ret = translate(in, ELF_T_SHDR, &bytes, in->shdr_len, &shdr);
	if (ret < 0)
		return ret;
	in->phnum = in->is64 ? shdr.shdr64.sh_info : shdr.shdr32.sh_info;
	if (in->phnum < PN_XNUM)
		return kvfs_err_set(in->err, EBADMSG,
				    "%s: e_phnum is PN_XNUM but the true number is %zu", in->file.name,
				    in->phnum);
	return 0;
}

static int read_ehdr(struct input *in)
{
	const char *name = in->file.name;
	size_t type, phentsize;
	union raw bytes, ehdr;
	ssize_t n;
	int ret;

	n = kvfs_io_pread(in->fd, &bytes, sizeof(Elf64_Ehdr), 0);
	if (n < 0)
		return kvfs_err_sys(in->err, (int)-n, "cannot read the ELF header of %s", name);
	ret = check_ident(in, bytes.ident, (size_t)n);
	if (ret == 0)
		ret = translate(in, ELF_T_EHDR, &bytes, in->ehdr_len, &ehdr);
	if (ret < 0)
		return ret;
	type = in->is64 ? ehdr.ehdr64.e_type : ehdr.ehdr32.e_type;
	phentsize = in->is64 ? ehdr.ehdr64.e_phentsize : ehdr.ehdr32.e_phentsize;
	in->machine = in->is64 ? ehdr.ehdr64.e_machine : ehdr.ehdr32.e_machine;
	in->phoff = in->is64 ? ehdr.ehdr64.e_phoff : ehdr.ehdr32.e_phoff;
	in->shoff = in->is64 ? ehdr.ehdr64.e_shoff : ehdr.ehdr32.e_shoff;
	in->phnum = in->is64 ? ehdr.ehdr64.e_phnum : ehdr.ehdr32.e_phnum;
	if (type != ET_CORE)
		return kvfs_err_set(in->err, ENOEXEC, "%s is an ELF file but not a core (e_type is %zu)",
				    name, type);
	if (in->phnum && phentsize != in->phdr_len)
		return kvfs_err_set(in->err, EBADMSG, "%s: e_phentsize is %zu in place of %zu", name,
				    phentsize, in->phdr_len);
	if (in->phnum == PN_XNUM) {
		ret = read_extended_phnum(in);
		if (ret < 0)
			return ret;
	}
	if (in->phnum > KVFS_ELF_HEAD_MAX / in->phdr_len)
		return kvfs_err_set(in->err, EBADMSG, "%s claims %zu program headers", name, in->phnum);
	return 0;
}

/* Translates a program header, and widens one of 32 bits. */
static int translate_phdr(const struct input *in, const void *bytes, Elf64_Phdr *out)
{
	union raw phdr;
	int ret = translate(in, ELF_T_PHDR, bytes, in->phdr_len, &phdr);

	if (ret < 0)
		return ret;
	if (in->is64)
		*out = phdr.phdr64;
	else
		*out = (Elf64_Phdr){
			.p_type = phdr.phdr32.p_type,
			.p_flags = phdr.phdr32.p_flags,
			.p_offset = phdr.phdr32.p_offset,
			.p_vaddr = phdr.phdr32.p_vaddr,
			.p_paddr = phdr.phdr32.p_paddr,
			.p_filesz = phdr.phdr32.p_filesz,
			.p_memsz = phdr.phdr32.p_memsz,
			.p_align = phdr.phdr32.p_align,
		};
	return 0;
}

static int load_notes(const struct input *in, const Elf64_Phdr *ph, struct kvfs_elf *core)
{
	_cleanup_free_ void *bytes = NULL;
	int ret;

	if (!ph->p_filesz)
		return 0;
	ret = kvfs_elf_check_notes(core, &in->file, ph, in->err);
	if (ret < 0)
		return ret;
	bytes = malloc(ph->p_filesz);
	if (!bytes)
		return kvfs_err_sys(in->err, ENOMEM, "cannot read the notes of %s", in->file.name);
	ret = read_part(in, "note segment", bytes, ph->p_filesz, ph->p_offset);
	if (ret < 0)
		return ret;
	return kvfs_elf_add_notes(core, &in->file, ph, kvfs_steal_ptr(bytes), in->err);
}

static int load_phdrs(const struct input *in, struct kvfs_elf *core)
{
	size_t len = in->phnum * in->phdr_len;
	_cleanup_free_ char *table = NULL;
	int ret;

	if (!in->phnum)
		return 0;
	table = malloc(len);
	if (!table)
		return kvfs_err_sys(in->err, ENOMEM, "cannot read the program headers of %s",
				    in->file.name);
	ret = read_part(in, "program header table", table, len, in->phoff);
	for (size_t i = 0; i < in->phnum && ret == 0; i++) {
		Elf64_Phdr ph;

		ret = translate_phdr(in, table + i * in->phdr_len, &ph);
		if (ret < 0)
			break;
		if (ph.p_type == PT_LOAD)
			ret = kvfs_elf_add_segment(core, &in->file, i, &ph, in->err);
		else if (ph.p_type == PT_NOTE)
			ret = load_notes(in, &ph, core);
	}
	return ret;
}

int kvfs_elf_load(int fd, const char *name, uint64_t file_len, struct kvfs_elf *out,
		  struct kvfs_err *err)
{
	struct input in = { .fd = fd, .file = { .name = name, .len = file_len }, .err = err };
	struct kvfs_elf core;
	int ret;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return kvfs_err_set(err, EOPNOTSUPP, "libelf is too old: %s", elf_errmsg(-1));
	ret = read_ehdr(&in);
	if (ret < 0)
		return ret;
	ret = kvfs_elf_init(&core, in.machine, in.is64 ? ELFCLASS64 : ELFCLASS32, in.phnum);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "cannot list the segments of %s", name);
	ret = load_phdrs(&in, &core);
	if (ret == 0)
		ret = kvfs_elf_find_vmcoreinfo(&core, &in.file, err);
	if (ret < 0) {
		kvfs_elf_deinit(&core);
		return ret;
	}
	*out = core;
	return 0;
}
