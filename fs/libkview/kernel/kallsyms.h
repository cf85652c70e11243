/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lines of /proc/kallsyms, one after another: the text, some 15 MiB of it, is never in
 * memory as a whole, and what becomes of a line is the caller's business.
 */
#ifndef KVFS_KERNEL_KALLSYMS_H
#define KVFS_KERNEL_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* "ffffffff81000000 T _text", or with "\t[module]" behind it. */
struct kvfs_kallsyms_line {
	uint64_t vaddr;
	char type;		/* as nm(1) has it */
	bool in_module;		/* of a module, of BPF, of ftrace: not of the kernel image */
	const char *name;	/* borrowed until the function returns; not NUL-terminated */
	size_t name_len;	/* bytes, at least 1; none of them is a blank or a control character */
};

/* Called for each line. Returns 0 to go on, 1 to stop there, or -errno, which ends the call. */
typedef int (*kvfs_kallsyms_fn)(void *ctx, const struct kvfs_kallsyms_line *line);

/*
 * Parses a text. Pure. Returns 0, -EBADMSG with the number of the line that is none, -EPERM if
 * there are symbols and the address of each is zero (kptr_restrict), or what fn returned. If fn
 * stops it, what follows is not judged.
 */
int kvfs_kallsyms_parse(const char *text, size_t len, kvfs_kallsyms_fn fn, void *ctx,
			struct kvfs_err *err);

/* Reads path piece by piece. As kvfs_kallsyms_parse(), or -ENOMEM, or that of open and read(2). */
int kvfs_kallsyms_load(const char *path, kvfs_kallsyms_fn fn, void *ctx, struct kvfs_err *err);

#endif /* KVFS_KERNEL_KALLSYMS_H */
