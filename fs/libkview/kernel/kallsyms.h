/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads /proc/kallsyms line by line and hands each line to the caller. The text, some 15 MiB, is
 * never in memory as a whole.
 */
#ifndef KVFS_KERNEL_KALLSYMS_H
#define KVFS_KERNEL_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* "ffffffff81000000 T _text", or the same with "\t[module]" at the end. */
struct kvfs_kallsyms_line {
	uint64_t vaddr;
	char type;		/* letter, as of nm(1) */
	bool in_module;		/* of a module, of BPF, of ftrace: not of the kernel image */
	const char *name;	/* borrowed until the function returns; not NUL-terminated */
	size_t name_len;	/* bytes, at least 1; none of them is a blank or a control character */
};

/* Called for each line. Returns 0 to go on, 1 to stop there, or -errno, which ends the call. */
typedef int (*kvfs_kallsyms_fn)(void *ctx, const struct kvfs_kallsyms_line *line);

/*
 * Parses a text. Pure. Returns 0, or with a message -EBADMSG for a line that is none of
 * /proc/kallsyms, -EPERM if there are symbols and the address of each is zero (kptr_restrict), or
 * the error of fn. Lines after the one at which fn stops are not parsed.
 */
int kvfs_kallsyms_parse(const char *text, size_t len, kvfs_kallsyms_fn fn, void *ctx,
			struct kvfs_err *err);

/* Reads path. Returns as kvfs_kallsyms_parse(), or -ENOMEM, or the errno of open(2) or read(2). */
int kvfs_kallsyms_load(const char *path, kvfs_kallsyms_fn fn, void *ctx, struct kvfs_err *err);

#endif /* KVFS_KERNEL_KALLSYMS_H */
