// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/prstatus.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* struct elf_prstatus of a machine (include/linux/elfcore.h); lengths in bytes. */
struct prstatus {
	uint16_t machine;
	size_t signal;		/* offset of pr_cursig, 2 bytes */
	size_t pid;		/* offset of pr_pid, 4 bytes */
	size_t regs;		/* offset of pr_reg */
	size_t reg_len;
	const char *const *names;	/* in the order of pr_reg, ends with NULL */
};

/* arch/x86/include/asm/elf.h, struct user_regs_struct */
static const char *const x86_64_regs[] = {
	"r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx",
	"rsi", "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds",
	"es", "fs", "gs", NULL,
};

static const char *const i386_regs[] = {
	"ebx", "ecx", "edx", "esi", "edi", "ebp", "eax", "ds", "es", "fs", "gs", "orig_eax", "eip",
	"cs", "eflags", "esp", "ss", NULL,
};

/* arch/arm64/include/uapi/asm/ptrace.h, struct user_pt_regs */
static const char *const aarch64_regs[] = {
	"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
	"x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26",
	"x27", "x28", "x29", "x30", "sp", "pc", "pstate", NULL,
};

static const struct prstatus layouts[] = {
	{ EM_X86_64, 12, 32, 112, 8, x86_64_regs },
	{ EM_386, 12, 24, 72, 4, i386_regs },
	{ EM_AARCH64, 12, 32, 112, 8, aarch64_regs },
};

static const struct prstatus *layout_of(uint16_t machine)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (layouts[i].machine == machine)
			return &layouts[i];
	}
	return NULL;
}

int kvfs_vmcore_prstatus_write(const struct kvfs_elf_note *note, uint16_t machine, FILE *out)
{
	const struct prstatus *l = layout_of(machine);
	const char *desc = note->desc;
	size_t nr_regs = 0;
	int16_t signal;
	int32_t pid;

	if (!l)
		return -EOPNOTSUPP;
	while (l->names[nr_regs])
		nr_regs++;
	if (note->desc_len < l->regs + nr_regs * l->reg_len)
		return -EBADMSG;
	memcpy(&signal, desc + l->signal, sizeof(signal));
	memcpy(&pid, desc + l->pid, sizeof(pid));
	fprintf(out, "signal: %d\npid: %d\n", signal, pid);
	for (size_t i = 0; i < nr_regs; i++) {
		uint64_t value = 0;

		memcpy(&value, desc + l->regs + i * l->reg_len, l->reg_len);
		fprintf(out, "%s: 0x%0*" PRIx64 "\n", l->names[i], (int)l->reg_len * 2, value);
	}
	return 0;
}
