/* SPDX-License-Identifier: GPL-2.0-only */
/* A small kernel for the tests of kcore/: a core file whose words hold their addresses, and symbols. */
#ifndef KCORE_FIXTURE_H
#define KCORE_FIXTURE_H

#include <inttypes.h>
#include <stdint.h>

#include "kcore/source.h"
#include "mkelf.h"
#include "node/node.h"
#include "unit.h"

#define IMAGE_VADDR 0xffffffff81000000ULL
#define IMAGE_PADDR 0x1000000ULL
#define IMAGE_LEN 0x200000ULL
#define DIRECT_MAP 0xffff888000000000ULL
#define RAM_END 0x3000000ULL

#define FIXTURE_IMAGE "load vaddr=0xffffffff81000000 paddr=0x1000000 memsz=2M\n"
#define FIXTURE_RAM \
	"load vaddr=0xffff888000001000 paddr=0x1000 memsz=0x9f000\n" \
	"load vaddr=0xffff888000100000 paddr=0x100000 memsz=47M\n"
#define FIXTURE \
	"elf\nnote name=VMCOREINFO desc=\"A=1\\n\"\n" FIXTURE_IMAGE FIXTURE_RAM \
	"load vaddr=0xffffc90000000000 memsz=64K\n" \
	"fill load=0 len=64K with=addr\nfill load=1 with=addr\nfill load=2 len=64K with=addr\n"

/* Two names of one address, one name of two addresses, a name that is no file name. */
#define FIXTURE_SYMS \
	"0000000000000000 A percpu\n" \
	"ffffffff81000000 T _text\n" \
	"ffffffff81000040 T first\n" \
	"ffffffff81000040 t alias\n" \
	"ffffffff81000080 t twice\n" \
	"ffffffff81000100 t a/b\n" \
	"ffffffff81000180 t twice\n" \
	"ffffffff811ffff8 B last\n" \
	"ffffffff81200000 B _end\n" \
	"ffffffffc0000000 t outside\t[module]\n"

struct fixture {
	char kcore[64], kallsyms[64];	/* paths */
	int kcore_fd, kallsyms_fd;
	struct kvfs_kmod kmod;
	struct kvfs_kcore_source_config config;
};

static inline void fixture_write_kcore(struct fixture *f, const char *text)
{
	char why[256];

	ck_assert_int_eq(ftruncate(f->kcore_fd, 0), 0);
	ck_assert_int_eq((int)lseek(f->kcore_fd, 0, SEEK_SET), 0);
	ck_assert_msg(!mkelf_expand(text, f->kcore_fd, why, sizeof(why)), "%s", why);
}

static inline void fixture_init(struct fixture *f, const char *core, const char *syms)
{
	f->kcore_fd = unit_file(NULL, 0);
	f->kallsyms_fd = unit_file(syms, strlen(syms));
	fixture_write_kcore(f, core);
	strcpy(f->kcore, unit_path(f->kcore_fd));
	strcpy(f->kallsyms, unit_path(f->kallsyms_fd));
	f->kmod = (struct kvfs_kmod){ .fd = -1 };
	f->config = (struct kvfs_kcore_source_config){
		.file = f->kcore,
		.kallsyms = f->kallsyms,
		.kmod = &f->kmod,
		.kmod_reason = "no module here",
		.readers = 2,
	};
}

static inline void fixture_deinit(struct fixture *f)
{
	close(f->kcore_fd);
	close(f->kallsyms_fd);
}

static inline struct kvfs_kcore_source *fixture_source(const struct fixture *f)
{
	struct kvfs_kcore_source *src;
	struct kvfs_err err = { 0 };

	ck_assert_msg(!kvfs_kcore_source_create(&f->config, &src, &err), "%s", err.msg);
	return src;
}

/* The 8 bytes of a file at off, which is open. */
static inline uint64_t fixture_word(struct kvfs_node *file, uint64_t off)
{
	uint64_t word;

	ck_assert_int_eq((int)file->ops->file->read(file, NULL, &word, sizeof(word), off), 8);
	return word;
}

#endif /* KCORE_FIXTURE_H */
