/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tree opened through libkview.h, without a mount: kcore/ shows a small kernel whose memory
 * holds its own addresses, vmcore/ a dump of the same. For tests that are linked with libkview.
 */
#ifndef KVIEW_FIXTURE_H
#define KVIEW_FIXTURE_H

#include <stdint.h>
#include <stdlib.h>

#include "libkview.h"
#include "mkelf.h"
#include "unit.h"

#define FIXTURE_IMAGE_VADDR 0xffffffff81000000
#define FIXTURE_IMAGE_PADDR 0x1000000
#define FIXTURE_IMAGE_LEN 0x200123	/* _end is not on a page */
#define FIXTURE_DIRECT_MAP 0xffff888000000000
#define FIXTURE_LOW_START 0x1000
#define FIXTURE_LOW_END 0x9f000
#define FIXTURE_HIGH_START 0x100000
#define FIXTURE_HIGH_END 0x2000000
#define FIXTURE_VMCOREINFO "OSRELEASE=6.12.0-fixture\nPAGESIZE=4096\n"

static const char fixture_text[] =
	"elf\n"
	"note name=\"VMCOREINFO\" desc=\"OSRELEASE=6.12.0-fixture\\nPAGESIZE=4096\\n\"\n"
	"load vaddr=0xffffffff81000000 paddr=0x1000000 memsz=0x200123\n"
	"fill load=0 with=addr\n"
	"load vaddr=0xffffc90000000000 memsz=0x10000\n"
	"fill load=1 byte=0x5a\n"
	"load vaddr=0xffff888000001000 paddr=0x1000 memsz=0x9e000\n"
	"fill load=2 with=addr\n"
	"load vaddr=0xffff888000100000 paddr=0x100000 memsz=0x1f00000\n"
	"fill load=3 with=addr\n";

/* "twice" is ambiguous, "outside" is not in the image. */
static const char fixture_kallsyms[] =
	"ffffffff81000000 T _text\n"
	"ffffffff81000000 T _stext\n"
	"ffffffff81001000 T first\n"
	"ffffffff81001040 t twice\n"
	"ffffffff81002001 D odd\n"
	"ffffffff81002010 t twice\n"
	"ffffffff81200123 B _end\n"
	"ffffffffc0000000 t outside\t[module]\n";

/* A core file made of a text in the language of mkelf.h. */
static inline int fixture_core(const char *text)
{
	int fd = memfd_create("core", MFD_CLOEXEC);
	char err[256];

	ck_assert_int_ge(fd, 0);
	ck_assert_msg(mkelf_expand(text, fd, err, sizeof(err)) == 0, "%s", err);
	return fd;
}

/*
 * Opens a tree with the fixture in kcore/ and vmcore/, module=no, and more options ("" or
 * ",KEY=VALUE"). The caller closes it. The descriptors of the files stay open.
 */
static inline struct kview *fixture_open(const char *more)
{
	int core = fixture_core(fixture_text);
	int kallsyms = unit_file(fixture_kallsyms, sizeof(fixture_kallsyms) - 1);
	struct kview_error error;
	struct kview *kview;
	char options[512];

	snprintf(options, sizeof(options),
		 "module=no,kcore=/proc/self/fd/%d,kallsyms=/proc/self/fd/%d,vmcore=/proc/self/fd/%d%s",
		 core, kallsyms, core, more);
	ck_assert_msg(kview_open(options, &kview, &error) == 0, "%s", error.msg);
	return kview;
}

/* Opens a file, which must succeed. */
static inline struct kview_file *fixture_file(struct kview *kview, const char *path)
{
	struct kview_error error;
	struct kview_file *file;

	ck_assert_msg(kview_file_open(kview, path, &file, &error) == 0, "%s", error.msg);
	return file;
}

/* The byte that the fixture's memory has at paddr, which is in RAM. */
static inline uint8_t fixture_byte(uint64_t paddr)
{
	return (uint8_t)((paddr & ~7ULL) >> (paddr % 8 * 8));
}

/* buf holds memory from paddr on. */
static inline void fixture_assert_memory(const void *buf, size_t len, uint64_t paddr)
{
	const uint8_t *bytes = buf;
	size_t i = 0;

	/* Each assertion of check costs a system call: one is enough. */
	while (i < len && bytes[i] == fixture_byte(paddr + i))
		i++;
	ck_assert_msg(i == len, "the byte at 0x%llx is %#x", (unsigned long long)(paddr + i), i < len ? bytes[i] : 0);
}

#endif /* KVIEW_FIXTURE_H */
