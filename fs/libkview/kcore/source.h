/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The source of kcore/: the running kernel's memory, by the kview module and by /proc/kcore,
 * or a file in its place. It knows where memory is now (the layout), can copy it, and can
 * have the module make a kernel file of it.
 */
#ifndef KVFS_KCORE_SOURCE_H
#define KVFS_KCORE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "extent/extent.h"
#include "kernel/kmod.h"
#include "kernel/ksyms.h"
#include "kernel/memmap.h"

struct kvfs_kcore_source_config {
	const char *file;		/* in place of /proc/kcore, never by the module; or NULL */
	const char *kallsyms;		/* normally /proc/kallsyms */
	const struct kvfs_kmod *kmod;	/* borrowed; its fd is -1 if the module cannot be used, */
	const char *kmod_reason;	/* and this says why */
	unsigned int readers;		/* threads that read at a time: idle descriptors kept */
};

/* The files with a place in the layout. */
enum kvfs_kcore_source_file {
	KVFS_KCORE_SOURCE_RAM,
	KVFS_KCORE_SOURCE_TEXT,
	KVFS_KCORE_SOURCE_CORE,
	KVFS_KCORE_SOURCE_NR_FILES,
};

/* Where memory was at one moment. Reference-counted; immutable. */
struct kvfs_kcore_source_layout {
	_Atomic(unsigned int) refs;
	struct kvfs_memmap map;
	struct kvfs_extents tables[KVFS_KCORE_SOURCE_NR_FILES];
	struct kvfs_err errs[KVFS_KCORE_SOURCE_NR_FILES];	/* errnum 0 where there is a table */
	void *core_head;				/* what tables[CORE] borrows */
};

struct kvfs_kcore_source;		/* opaque, reference-counted; any number of threads may use it */

/*
 * Opens the source and reads the layout. *config is copied, the texts in it are borrowed for
 * the life of the source. Returns 0, or -errno and what is missing.
 */
int kvfs_kcore_source_create(const struct kvfs_kcore_source_config *config, struct kvfs_kcore_source **out,
			     struct kvfs_err *err);
struct kvfs_kcore_source *kvfs_kcore_source_get(struct kvfs_kcore_source *src);
/* NULL is allowed. */
void kvfs_kcore_source_put(struct kvfs_kcore_source *src);

/*
 * Reads the layout as it is now, for files that are not open: they follow memory that comes or
 * goes. *out is a reference for the caller, to the same object as last time if nothing changed
 * or if the kernel is locked down. Returns 0, or -errno and why it cannot be read.
 */
int kvfs_kcore_source_layout_load(struct kvfs_kcore_source *src, struct kvfs_kcore_source_layout **out,
				  struct kvfs_err *err);
/* The last layout that was read, with a reference for the caller. */
struct kvfs_kcore_source_layout *kvfs_kcore_source_layout_get(struct kvfs_kcore_source *src);
/* NULL is allowed. */
void kvfs_kcore_source_layout_put(struct kvfs_kcore_source_layout *layout);

/*
 * The kernel's symbols, read at the first call. *out is borrowed and lives as long as src.
 * Returns 0, or the error of kvfs_ksyms_load().
 */
int kvfs_kcore_source_syms(struct kvfs_kcore_source *src, const struct kvfs_ksyms **out);

/* Whether the module can show RAM now: 0, or -errno and why it cannot or must not. */
int kvfs_kcore_source_check_module(struct kvfs_kcore_source *src, struct kvfs_err *err);

/*
 * Whether the source may be opened now, as a file of it is about to be: 0 or -errno. Once
 * the kernel is locked down, descriptors and mappings that exist go on, and there are no
 * new ones, neither by the module nor by the descriptors of /proc/kcore that are kept here.
 */
int kvfs_kcore_source_check_open(const struct kvfs_kcore_source *src);

/* Has the module make a view of table: a descriptor, the caller's, or -errno and why not. */
int kvfs_kcore_source_create_view(struct kvfs_kcore_source *src, const char *name,
				  const struct kvfs_extents *table, struct kvfs_err *err);

/* Whether there is a file that RAM can be copied from; if not, the module is all there is. */
bool kvfs_kcore_source_has_file(const struct kvfs_kcore_source *src);

/* Copies [off, off + len) of table out of that file; as kvfs_extents_read(). */
ssize_t kvfs_kcore_source_read(struct kvfs_kcore_source *src, const struct kvfs_extents *table, void *buf,
			       size_t len, uint64_t off);

/* "/proc/kcore", the name of the file in its place, or "kview module" without either. */
const char *kvfs_kcore_source_name(const struct kvfs_kcore_source *src);

#endif /* KVFS_KCORE_SOURCE_H */
