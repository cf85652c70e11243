/* SPDX-License-Identifier: GPL-2.0-only */
/* A small crash dump for the tests of vmcore/: an ELF core of two segments and three CPUs. */
#ifndef VMCORE_FIXTURE_H
#define VMCORE_FIXTURE_H

#include "dump/dump.h"
#include "kernel/kmod.h"
#include "mkelf.h"
#include "unit.h"
#include "vmcore/source.h"

#define PAGE 4096
#define NR_CPUS 3
#define NO_MODULE "there is no module in this test"

/* The image in RAM from 1 MiB on; of RAM the last page is not saved. */
#define FIXTURE_LOADS \
	"load vaddr=0xffffffff81000000 paddr=0x101000 memsz=0x2000\n" \
	"fill load=0 with=addr\n" \
	"load vaddr=0 paddr=0x100000 memsz=0x6000 filesz=0x5000\n" \
	"fill load=1 with=addr\n"
#define FIXTURE_VMCOREINFO "note name=\"VMCOREINFO\" desc=\"PAGESIZE=4096\\n\"\n"

static const struct kvfs_kmod no_module = { .fd = -1 };
/* Of the file of the last fixture. */
static char fixture_path[64];

/* The text for mkelf of a dump with VMCOREINFO and CPUs, of which the N-th has pid 100 + N. */
static inline const char *fixture_text(const char *elf)
{
	static char text[16384];
	size_t at = (size_t)snprintf(text, sizeof(text), "%s\n" FIXTURE_VMCOREINFO, elf);

	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
		at += (size_t)snprintf(text + at, sizeof(text) - at, "note name=\"CORE\" type=1 desc=\"");
		/* 336 bytes are an NT_PRSTATUS of x86-64; pr_pid is at 32. */
		for (unsigned int i = 0; i < 336; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "\\x%02x", i == 32 ? 100 + cpu : 0);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "\"\n");
	}
	snprintf(text + at, sizeof(text) - at, FIXTURE_LOADS);
	return text;
}

static inline struct kvfs_dump_config fixture_config(const char **name)
{
	*name = fixture_path;
	return (struct kvfs_dump_config) { .files = name, .nr_files = 1, .tmpdir = "/tmp" };
}

/* Writes the ELF core that text describes (mkelf.h). It lives as long as the process. */
static inline void fixture_write(const char *text)
{
	int fd = unit_file(NULL, 0);
	char msg[256];

	ck_assert_msg(mkelf_expand(text, fd, msg, sizeof(msg)) == 0, "%s", msg);
	snprintf(fixture_path, sizeof(fixture_path), "/proc/self/fd/%d", fd);
}

static inline struct kvfs_vmcore_source *fixture_source(const char *text)
{
	struct kvfs_vmcore_source *src;
	struct kvfs_err err = { 0 };
	const char *name;
	struct kvfs_dump_config config;

	fixture_write(text);
	config = fixture_config(&name);
	ck_assert_msg(kvfs_vmcore_source_create(&config, &no_module, NO_MODULE, &src, &err) == 0, "%s", err.msg);
	return src;
}

#endif /* VMCORE_FIXTURE_H */
