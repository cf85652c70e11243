/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a crashed kernel says of itself: the text of its VMCOREINFO note, lines of KEY=VALUE
 * such as "SYMBOL(swapper_pg_dir)=ffffffff84a10000" (include/linux/vmcore_info.h). Pure.
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

/* The value of key: false if no line has it. *val is not NUL-terminated. The last line wins. */
bool kvfs_vmcoreinfo_get(const struct kvfs_vmcoreinfo *info, const char *key, const char **val,
			 size_t *len);

/*
 * The value of key as a number: hex for SYMBOL(x) and KERNELOFFSET, dec for SIZE(x), OFFSET(x),
 * LENGTH(x), PAGESIZE and NUMBER(x). A decimal number may have a sign and is then the two's
 * complement. Returns 0, -ENOENT if no line has the key, or -EBADMSG if it is no such number
 * or does not fit into 64 bits.
 */
int kvfs_vmcoreinfo_hex(const struct kvfs_vmcoreinfo *info, const char *key, uint64_t *out);
int kvfs_vmcoreinfo_dec(const struct kvfs_vmcoreinfo *info, const char *key, uint64_t *out);

#endif /* KVFS_KERNEL_VMCOREINFO_H */
