/* SPDX-License-Identifier: GPL-2.0-only */
/* The source of vmcore/: one crash dump, shared by the files that show it. */
#ifndef KVFS_VMCORE_SOURCE_H
#define KVFS_VMCORE_SOURCE_H

#include <stddef.h>

#include "base/err.h"
#include "dump/dump.h"
#include "kernel/kmod.h"

struct kvfs_vmcore_source;		/* opaque, reference-counted; any number of threads may use it */

/*
 * Opens a dump. *config is not needed after it. kmod and kmod_reason are borrowed for the life of the
 * source; fd of kmod is -1 if the module cannot be used, and kmod_reason is why. Returns 0 and a
 * source with a reference for the caller, or the errors of kvfs_dump_open().
 */
int kvfs_vmcore_source_create(const struct kvfs_dump_config *config, const struct kvfs_kmod *kmod,
			      const char *kmod_reason, struct kvfs_vmcore_source **out, struct kvfs_err *err);

/* Takes another reference. Returns src. */
struct kvfs_vmcore_source *kvfs_vmcore_source_get(struct kvfs_vmcore_source *src);

/* Gives a reference back; the last one closes the dump. NULL is allowed. */
void kvfs_vmcore_source_put(struct kvfs_vmcore_source *src);

/* Borrowed for the life of src. */
struct kvfs_dump *kvfs_vmcore_source_dump(const struct kvfs_vmcore_source *src);

/* "FILE (ELF64 core)", for status and user.kview.source. Borrowed for the life of src. */
const char *kvfs_vmcore_source_name(const struct kvfs_vmcore_source *src);

/*
 * Tells whether the module can make a kernel file of a table of the dump, which has a descriptor.
 * Returns 0, or -errno with the reason why not.
 */
int kvfs_vmcore_source_check_window(const struct kvfs_vmcore_source *src, const struct kvfs_extents *t,
				    struct kvfs_err *err);

/* Makes that file. Returns a descriptor that the caller owns, or -errno with the reason why not. */
int kvfs_vmcore_source_create_window(const struct kvfs_vmcore_source *src, const char *name,
				     const struct kvfs_extents *t, struct kvfs_err *err);

#endif /* KVFS_VMCORE_SOURCE_H */
