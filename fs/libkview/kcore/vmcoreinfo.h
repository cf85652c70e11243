/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running kernel's VMCOREINFO where there is no /proc/kcore to give it: sysfs says at
 * which physical address the note lies, and the kview module shows that memory.
 */
#ifndef KVFS_KCORE_VMCOREINFO_H
#define KVFS_KCORE_VMCOREINFO_H

#include <stddef.h>

#include "base/err.h"
#include "kernel/kmod.h"

/* Longest note that is believed, bytes; the kernel's own limit is a page. */
#define KVFS_KCORE_VMCOREINFO_MAX (64 * 1024)

/*
 * The text in an ELF note of [note, note + len) with the name VMCOREINFO. Pure. *text is
 * NUL-terminated and the caller's to free. Returns 0, -EBADMSG if it is no such note, or
 * -ENOMEM.
 */
int kvfs_kcore_vmcoreinfo_parse(const void *note, size_t len, char **text, size_t *text_len,
				struct kvfs_err *err);

/*
 * Reads path (normally /sys/kernel/vmcoreinfo: "PADDR LENGTH", both hexadecimal) and the
 * note there. Returns 0, -EBADMSG, or the errno of the file or of the module.
 */
int kvfs_kcore_vmcoreinfo_load(const char *path, const struct kvfs_kmod *kmod, char **text,
			       size_t *text_len, struct kvfs_err *err);

#endif /* KVFS_KCORE_VMCOREINFO_H */
