/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A crash dump of any format: its segments, its notes, and its bytes. A dump shows itself as an ELF
 * core (which it is, or which is built around its pages), and each segment and physical memory as
 * extent tables over one address space, the space: file offsets for an ELF core, physical addresses
 * for a format without an ELF header. Readers need not know which.
 *
 * Any number of threads may read a dump. Formats are in format.h.
 */
#ifndef KVFS_DUMP_DUMP_H
#define KVFS_DUMP_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/pool.h"
#include "elf/core.h"
#include "extent/extent.h"

struct kvfs_dump;

struct kvfs_dump_ops {
	/*
	 * Reads exactly [off, off + len) of the space. What the dump leaves out is zeros. Returns 0,
	 * -EIO if a page of it is damaged, or the -errno of what is unavailable (result.h).
	 */
	int (*read)(struct kvfs_dump *dump, void *buf, size_t len, uint64_t off);

	/*
	 * The first offset in [off, end) that is data (SEEK_DATA) or left out (SEEK_HOLE); end if there
	 * is none.
	 */
	uint64_t (*seek)(struct kvfs_dump *dump, uint64_t off, uint64_t end, int whence);

	/* Bytes of a table that are not left out, as far as that is known without reading. */
	uint64_t (*data_len)(struct kvfs_dump *dump, const struct kvfs_extents *t);

	/* Frees what the format made, and dump; kvfs_dump_close() has freed the fields below. */
	void (*destroy)(struct kvfs_dump *dump);
};

struct kvfs_dump {
	const struct kvfs_dump_ops *ops;
	const char *format;		/* constant text for people */
	int fd;				/* its offsets are the space; -1: the space is physical memory */
	bool is_proc;			/* fd is /proc/vmcore, which FUSE does not take as a backing file */
	bool unchanging;		/* the bytes stay the same, so the page cache may keep them */
	uint16_t machine;		/* e_machine */
	struct kvfs_segment *segs;	/* off is the offset in core */
	size_t nr_segs;
	struct kvfs_extents ram;	/* offset = physical address */
	struct kvfs_extents core;
	void *core_head;		/* borrowed by core, or NULL */
	struct kvfs_elf_notes notes;	/* as they are in the dump */
	char *vmcoreinfo;		/* as text, NUL-terminated; NULL if there is none */
	size_t vmcoreinfo_len;
	char *missing;			/* all that a truncated or split dump lacks; NULL if it is whole */
	_Atomic(uint64_t) nr_damaged;	/* pages found to be damaged, each counted once */
	_Atomic(_Atomic(uint8_t) *) damaged;	/* a bit for each page, once one was found */
};

/* The memory of the kernel that crashed, in the crash kernel. */
#define KVFS_DUMP_PROC "/proc/vmcore"

/* Called now and then with the bytes done, of total. */
typedef void (*kvfs_progress_fn)(void *arg, uint64_t done, uint64_t total);

struct kvfs_dump_config {
	const char *const *files;	/* names; more than one: a split dump, in any order */
	size_t nr_files;
	size_t cache_len;		/* bytes that decompressed pages may take */
	struct kvfs_pool *pool;		/* borrowed for the life of the dump; NULL: nothing is read ahead */
	unsigned int threads;		/* of the pool that decompress ahead of a reader, at most */
	const char *tmpdir;		/* where a flattened dump is put in order */
	kvfs_progress_fn progress;	/* of putting it in order; or NULL */
	void *progress_arg;
};

/*
 * Opens a dump. *config is not needed after it. Returns 0, or -errno with a message: -ENOEXEC for an
 * unknown format or one that this build cannot read, -EINVAL for files that cannot be a dump or do
 * not belong together, that of open(2), or those of the format.
 */
int kvfs_dump_open(const struct kvfs_dump_config *config, struct kvfs_dump **out,
		   struct kvfs_err *err);

/* No thread may be reading. NULL is allowed. */
void kvfs_dump_close(struct kvfs_dump *dump);

/* The table of segment nr, offset 0 = its first byte. The caller deinits it. 0 or -ENOMEM. */
int kvfs_dump_seg_table(const struct kvfs_dump *dump, size_t nr, struct kvfs_extents *out);

/*
 * Reads [off, off + len) of a table, as far as it goes. Returns the bytes read, 0 at or past the
 * end, or -errno if any of them cannot be read: a short read before a damaged page would look like
 * the end of the file.
 */
ssize_t kvfs_dump_read(struct kvfs_dump *dump, const struct kvfs_extents *t, void *buf,
		       size_t len, uint64_t off);

/* As kvfs_extents_seek(), but what the dump leaves out is a hole, too. */
int kvfs_dump_seek(struct kvfs_dump *dump, const struct kvfs_extents *t, uint64_t off,
		   int whence, uint64_t *out);

/*
 * Reads exactly [paddr, paddr + len) of physical memory; what was not dumped is zeros. dump is a
 * struct kvfs_dump, for kvfs_read_phys_fn. Returns 0 or the -errno of kvfs_dump_read().
 */
int kvfs_dump_read_phys(void *dump, void *buf, size_t len, uint64_t paddr);

#endif /* KVFS_DUMP_DUMP_H */
