/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running kernel's VMCOREINFO on machines without /proc/kcore, whose headers have it: sysfs
 * has the physical address of the note, and the kview module shows that memory.
 */
#ifndef KVFS_KCORE_VMCOREINFO_H
#define KVFS_KCORE_VMCOREINFO_H

#include <stddef.h>

#include "base/err.h"
#include "kernel/kmod.h"

/* Limit on the length of the note, bytes; the kernel's own limit is a page. */
#define KVFS_KCORE_VMCOREINFO_MAX (64 * 1024)

/*
 * Copies the text of the ELF note at note, which has the name VMCOREINFO. Pure. *text is
 * NUL-terminated; the caller frees it. Returns 0, -EBADMSG if it is no such note, or -ENOMEM.
 */
int kvfs_kcore_vmcoreinfo_parse(const void *note, size_t len, char **text, size_t *text_len,
				struct kvfs_err *err);

/*
 * Reads path (normally /sys/kernel/vmcoreinfo: "PADDR LENGTH", both hexadecimal) and the note at
 * that address. Returns as kvfs_kcore_vmcoreinfo_parse(), or the errno of the file or of the
 * module, each with a message.
 */
int kvfs_kcore_vmcoreinfo_load(const char *path, const struct kvfs_kmod *kmod, char **text,
			       size_t *text_len, struct kvfs_err *err);

#endif /* KVFS_KCORE_VMCOREINFO_H */
