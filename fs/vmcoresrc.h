/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The source of vmcore/: one crash dump, shared by the files that show it.
 */
#ifndef KVFS_VMCORESRC_H
#define KVFS_VMCORESRC_H

#include <stddef.h>

#include "dump.h"
#include "err.h"

struct kvfs_vmcoresrc;		/* opaque, reference-counted; any number of threads may use it */

/* Opens the dump; *config is not needed after it. Errors as kvfs_dump_open(). */
int kvfs_vmcoresrc_create(const struct kvfs_dump_config *config, struct kvfs_vmcoresrc **out,
			  struct kvfs_err *err);
struct kvfs_vmcoresrc *kvfs_vmcoresrc_get(struct kvfs_vmcoresrc *src);
/* NULL is allowed. */
void kvfs_vmcoresrc_put(struct kvfs_vmcoresrc *src);

/* Borrowed for the life of src. */
struct kvfs_dump *kvfs_vmcoresrc_dump(const struct kvfs_vmcoresrc *src);

/* "FILE (ELF64 core)": what status and user.kview.source say. */
const char *kvfs_vmcoresrc_name(const struct kvfs_vmcoresrc *src);

#endif /* KVFS_VMCORESRC_H */
