/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text of a VMCOREINFO note, in which a kernel describes itself: lines of KEY=VALUE such as
 * "SYMBOL(swapper_pg_dir)=ffffffff84a10000" (include/linux/vmcore_info.h, 6.12). Pure.
 */
#ifndef KVFS_KERNEL_VMCOREINFO_H
#define KVFS_KERNEL_VMCOREINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kvfs_vmcoreinfo {
	const char *text;	/* borrowed; need not end with NUL or newline */
	size_t len;		/* bytes */
};

/* Finds the value of key, in the last line that has it. *val is not NUL-terminated. False if no line has it. */
bool kvfs_vmcoreinfo_get(const struct kvfs_vmcoreinfo *info, const char *key, const char **val,
			 size_t *len);

/*
 * Parse the value of key as a number: hex for SYMBOL(x) and KERNELOFFSET, dec for SIZE(x),
 * OFFSET(x), LENGTH(x), PAGESIZE and NUMBER(x). A decimal number may have a minus sign; *out is
 * then the two's complement. Return 0, -ENOENT if no line has the key, or -EBADMSG if the value
 * is no such number or does not fit into 64 bits.
 */
int kvfs_vmcoreinfo_hex(const struct kvfs_vmcoreinfo *info, const char *key, uint64_t *out);
int kvfs_vmcoreinfo_dec(const struct kvfs_vmcoreinfo *info, const char *key, uint64_t *out);

#endif /* KVFS_KERNEL_VMCOREINFO_H */
