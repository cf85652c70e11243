/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The source of kcore/: the running kernel's memory, through the kview module and /proc/kcore,
 * or a file in place of /proc/kcore. It knows where memory is now (the layout), copies memory,
 * and has the module make kernel files of it.
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
	const char *file;		/* in place of /proc/kcore, and without the module; or NULL */
	const char *kallsyms;		/* normally /proc/kallsyms */
	const struct kvfs_kmod *kmod;	/* borrowed; its fd is -1 if the module cannot be used, */
	const char *kmod_reason;	/* and this says why */
	unsigned int readers;		/* idle descriptors kept: as many as threads read at a time */
};

/* The files with a place in the layout. */
enum kvfs_kcore_source_file {
	KVFS_KCORE_SOURCE_RAM,
	KVFS_KCORE_SOURCE_TEXT,
	KVFS_KCORE_SOURCE_CORE,
	KVFS_KCORE_SOURCE_NR_FILES,
};

/* Where memory is at one moment. Reference-counted; immutable. */
struct kvfs_kcore_source_layout {
	_Atomic(unsigned int) refs;
	struct kvfs_memmap map;
	struct kvfs_extents tables[KVFS_KCORE_SOURCE_NR_FILES];
	struct kvfs_err errs[KVFS_KCORE_SOURCE_NR_FILES];	/* errnum 0 where there is a table */
	void *core_head;				/* what tables[CORE] borrows */
};

struct kvfs_kcore_source;		/* opaque, reference-counted; any number of threads may use it */

/*
 * Opens the source and reads the layout. *config is copied; the texts and kmod are borrowed for
 * the life of the source. Returns 0, or -errno with a message that names what is missing.
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

/*
 * The same for stat(2) and status, which must not wait for a file system that hangs: the layout of
 * a given file is the last one that was read.
 */
int kvfs_kcore_source_layout_look(struct kvfs_kcore_source *src, struct kvfs_kcore_source_layout **out);
/* Returns the last layout that was read, with a reference for the caller. */
struct kvfs_kcore_source_layout *kvfs_kcore_source_layout_get(struct kvfs_kcore_source *src);
/* NULL is allowed. */
void kvfs_kcore_source_layout_put(struct kvfs_kcore_source_layout *layout);

/*
 * Returns the kernel's symbols, which the first call reads. Concurrent calls wait for it; no
 * other function of the source does. After a failure the next call reads them again. *out is
 * borrowed and lives as long as src. Returns 0, or the error of kvfs_ksyms_load().
 */
int kvfs_kcore_source_syms(struct kvfs_kcore_source *src, const struct kvfs_ksyms **out);

/*
 * Tells whether the module can be expected to show RAM now, without asking it: 0, or -errno and
 * why not.
 */
int kvfs_kcore_source_check_module(struct kvfs_kcore_source *src, struct kvfs_err *err);

/*
 * Tells whether a file of the source may be opened now: 0 or -errno. Once the kernel is locked
 * down, existing descriptors and mappings work on, but there must be no new ones, neither of the
 * module nor through the descriptors of /proc/kcore that are kept here.
 */
int kvfs_kcore_source_check_open(const struct kvfs_kcore_source *src);

/* Has the module make a view of table. Returns a descriptor for the caller to close, or -errno and why not. */
int kvfs_kcore_source_create_view(struct kvfs_kcore_source *src, const char *name,
				  const struct kvfs_extents *table, struct kvfs_err *err);

/* Tells whether there is a file to copy RAM from; if not, all reads go to the module. */
bool kvfs_kcore_source_has_file(const struct kvfs_kcore_source *src);

/* Copies [off, off + len) of table out of that file. Returns as kvfs_extents_read(). */
ssize_t kvfs_kcore_source_read(struct kvfs_kcore_source *src, const struct kvfs_extents *table, void *buf,
			       size_t len, uint64_t off);

/* Returns "/proc/kcore", the name of the file in its place, or "kview module" without either. */
const char *kvfs_kcore_source_name(const struct kvfs_kcore_source *src);

#endif /* KVFS_KCORE_SOURCE_H */
