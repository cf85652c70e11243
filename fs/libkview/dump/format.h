/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a dump format implements, and what it is made with. open.c has the table of formats: a new one
 * is a struct kvfs_dump_format and a line there.
 */
#ifndef KVFS_DUMP_FORMAT_H
#define KVFS_DUMP_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dump/dump.h"

/* Bytes at the start of a file that tell its format. */
#define KVFS_DUMP_HEAD_LEN 64

/* A file of a dump. */
struct kvfs_dump_file {
	const char *name;	/* borrowed; for messages */
	int fd;
	uint64_t len;		/* bytes */
	unsigned char head[KVFS_DUMP_HEAD_LEN];	/* its first bytes; zeros after the end */
};

struct kvfs_dump_format {
	const char *name;	/* as in "X is an ELF core"; constant */
	bool can_split;		/* a dump may have several files */

	/*
	 * Tells by its head whether a file has this format. Reads nothing. Returns 1 if so, 0 if not,
	 * or -errno with a message if it has, in a variant that cannot be opened.
	 */
	int (*probe)(const struct kvfs_dump_file *file, struct kvfs_err *err);

	/*
	 * Opens a dump of nr files, each of which probe returned 1 for; more than one only with
	 * can_split. On success *out has all fields set but is_proc and unchanging, and a descriptor
	 * that it keeps is replaced by -1; the caller closes the others. Returns 0, or -errno with a
	 * message, and then all descriptors are as they were.
	 */
	int (*open)(struct kvfs_dump_file *files, size_t nr, const struct kvfs_dump_config *config,
		    struct kvfs_dump **out, struct kvfs_err *err);
};

/*
 * Makes dump->ram of the segments. Where these overlap (the kernel image is in RAM), the one that
 * begins first counts. The space is physical memory if paddr_is_space, else it is core. 0 or -errno.
 */
int kvfs_dump_make_ram(struct kvfs_dump *dump, bool paddr_is_space);

/* Counts page nr of nr_pages as damaged, once. */
void kvfs_dump_note_damaged(struct kvfs_dump *dump, uint64_t nr, uint64_t nr_pages);

/*
 * Appends to *missing, a text or NULL, what a dump lacks. The message is one line without a final
 * full stop; "; " goes between two. The caller frees *missing. Returns 0 or -ENOMEM.
 */
int kvfs_dump_add_missing(char **missing, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* KVFS_DUMP_FORMAT_H */
