/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A crash dump, whatever its format: its segments, its notes, and bytes. A dump shows itself
 * as an ELF core (which it is, or which is made up around its pages), each segment and
 * physical memory as extent tables over one address space of its own, the space: file
 * offsets for an ELF core, physical addresses for a format without an ELF header. Who reads
 * need not know which.
 *
 * A dump does not change. Any number of threads may read it.
 *
 * Readers are providers: they fill in struct kvfs_dump and its ops, and dump.c knows them by
 * their magic numbers only.
 */
#ifndef KVFS_DUMP_DUMP_H
#define KVFS_DUMP_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "dump/flattened.h"
#include "elf/core.h"
#include "extent/extent.h"

struct kvfs_dump;

struct kvfs_dump_ops {
	/*
	 * Reads exactly [off, off + len) of the space. What the dump leaves out is zeros.
	 * Returns 0, or -errno: -EIO if a page of it is damaged.
	 */
	int (*read)(struct kvfs_dump *dump, void *buf, size_t len, uint64_t off);

	/*
	 * The first offset at or behind off, below end, that is data (SEEK_DATA) or that is
	 * left out (SEEK_HOLE); end if there is none.
	 */
	uint64_t (*seek)(struct kvfs_dump *dump, uint64_t off, uint64_t end, int whence);

	/* Bytes of a table that are not left out, as far as it can tell without reading. */
	uint64_t (*data_len)(struct kvfs_dump *dump, const struct kvfs_extents *t);

	/* Frees what the provider made; the fields below are dump.c's. */
	void (*destroy)(struct kvfs_dump *dump);
};

struct kvfs_dump {
	const struct kvfs_dump_ops *ops;
	const char *format;		/* constant text for people */
	int fd;				/* whose offsets the space is; -1 if that is not so */
	bool is_proc;			/* fd is /proc/vmcore: no page cache, and no backing file */
	uint16_t machine;		/* e_machine */
	struct kvfs_segment *segs;	/* off is that in core */
	size_t nr_segs;
	struct kvfs_extents ram;	/* offset = physical address */
	struct kvfs_extents core;
	void *core_head;		/* what core borrows, or NULL */
	struct kvfs_elf_notes notes;	/* as they are in the dump */
	char *vmcoreinfo;		/* as text, NUL-terminated; NULL if there is none */
	size_t vmcoreinfo_len;
	struct kvfs_err missing;	/* what a truncated dump lacks; errnum 0 if it is whole */
	_Atomic(uint64_t) nr_damaged;	/* pages found to be damaged, each counted once */
	_Atomic(_Atomic(uint8_t) *) damaged;	/* a bit for each page, once one was found */
};

/* The memory of the kernel that crashed, in the crash kernel. */
#define KVFS_DUMP_PROC "/proc/vmcore"

struct kvfs_dump_config {
	const char *const *files;	/* names; more than one: a split set, in any order */
	size_t nr_files;
	size_t cache_len;		/* bytes that decompressed pages may take */
	unsigned int threads;		/* that decompress ahead of a reader */
	const char *tmpdir;		/* where a flattened dump is put in order */
	kvfs_progress_fn progress;	/* or NULL */
	void *progress_arg;
};

/*
 * Opens a dump. Returns 0, or -errno with a message: -ENOEXEC for an unknown format or one
 * that this build cannot read, -EINVAL for a set of what cannot be in one, that of open(2),
 * or those of the providers. *config is not needed any more after it.
 */
int kvfs_dump_open(const struct kvfs_dump_config *config, struct kvfs_dump **out,
		   struct kvfs_err *err);

/* NULL is allowed. */
void kvfs_dump_close(struct kvfs_dump *dump);

/* The table of segment nr, offset 0 = its first byte. 0 or -ENOMEM. */
int kvfs_dump_seg_table(const struct kvfs_dump *dump, size_t nr, struct kvfs_extents *out);

/*
 * Reads [off, off + len) of a table: all of it, but for what is beyond the end. Returns the
 * bytes read, 0 at or past the end, or -errno if any of them cannot be read; so that nobody
 * takes the place before a damaged page for the end of the file.
 */
ssize_t kvfs_dump_read(struct kvfs_dump *dump, const struct kvfs_extents *t, void *buf,
		       size_t len, uint64_t off);

/* As kvfs_extents_seek(), but what the dump leaves out is a hole, too. */
int kvfs_dump_seek(struct kvfs_dump *dump, const struct kvfs_extents *t, uint64_t off,
		   int whence, uint64_t *out);

/* Reads exactly [paddr, paddr + len) of physical memory; what was not dumped is zeros. */
int kvfs_dump_read_phys(void *dump, void *buf, size_t len, uint64_t paddr);

/*
 * Makes dump->ram out of the segments, which may overlap (the kernel image is in RAM): where
 * they do, the one that begins first counts. The space is physical memory if paddr_is_space,
 * else it is core. 0 or -errno. For providers.
 */
int kvfs_dump_make_ram(struct kvfs_dump *dump, bool paddr_is_space);

/* Counts page nr of nr_pages as damaged, if it has not been yet. For providers. */
void kvfs_dump_note_damaged(struct kvfs_dump *dump, uint64_t nr, uint64_t nr_pages);

/* Providers. Each takes over fds on success only; err and the rest as kvfs_dump_open(). */
int kvfs_dump_elf_open(int fd, const char *name, uint64_t file_len, struct kvfs_dump **out,
		       struct kvfs_err *err);
int kvfs_dump_kdump_open(const int *fds, const struct kvfs_dump_config *config,
			 struct kvfs_dump **out, struct kvfs_err *err);

#endif /* KVFS_DUMP_DUMP_H */
