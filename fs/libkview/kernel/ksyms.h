/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel symbols, from /proc/kallsyms or a file like it, in two tables. struct kvfs_ksyms finds
 * the bytes of a symbol of the image by its name: from its address to that of the next symbol.
 * Names can be ambiguous (static symbols); NAME@ADDRESS, the address in hexadecimal without 0x,
 * names one of them. struct kvfs_ksyms_names finds the name for an address, in modules too.
 *
 * A table is immutable once made: any number of threads may read it without a lock.
 */
#ifndef KVFS_KERNEL_KSYMS_H
#define KVFS_KERNEL_KSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct kvfs_ksyms;		/* opaque */
struct kvfs_ksyms_names;	/* opaque */

struct kvfs_ksym {
	const char *name;	/* borrowed from the table */
	uint64_t vaddr;
	uint64_t len;		/* bytes to the next symbol with a higher address, or to the limit */
	bool unique;		/* no other symbol of the table has this name */
};

/*
 * Parses the text of /proc/kallsyms and keeps the symbols with an address in [start, end): the
 * kernel image, less than 4 GiB. Symbols of modules, per-CPU offsets and absolute constants
 * are outside it. Lines that repeat both name and address count once. The last symbol ends at
 * end. Memory: the names and 12 bytes a symbol. Returns 0, or with a message -EBADMSG for a line
 * that is none of /proc/kallsyms, -EPERM if every address is zero (kptr_restrict), -ENODATA if no
 * symbol lies in the range, -EINVAL for an empty or too long range, or -ENOMEM.
 */
int kvfs_ksyms_parse(const char *text, size_t text_len, uint64_t start, uint64_t end,
		     struct kvfs_ksyms **out, struct kvfs_err *err);

/* Reads and parses path. Returns as kvfs_ksyms_parse(), or the errno of open(2) or read(2). */
int kvfs_ksyms_load(const char *path, uint64_t start, uint64_t end,
		    struct kvfs_ksyms **out, struct kvfs_err *err);

/* NULL is allowed. */
void kvfs_ksyms_destroy(struct kvfs_ksyms *syms);

/* Finds NAME or NAME@ADDRESS. Returns 0, -ENOENT, or -ENOTUNIQ for a NAME of several symbols. */
int kvfs_ksyms_lookup(const struct kvfs_ksyms *syms, const char *name, struct kvfs_ksym *out);

/* The i-th symbol by address, 0 <= i < count; aliases in the order of the text. */
size_t kvfs_ksyms_count(const struct kvfs_ksyms *syms);
void kvfs_ksyms_at(const struct kvfs_ksyms *syms, size_t i, struct kvfs_ksym *out);

/*
 * Reads all symbols of path that have an address, those of modules too. Returns 0, -ENODATA if
 * there is none, or an error as kvfs_ksyms_load(), each with a message.
 */
int kvfs_ksyms_names_load(const char *path, struct kvfs_ksyms_names **out, struct kvfs_err *err);

/* NULL is allowed. */
void kvfs_ksyms_names_destroy(struct kvfs_ksyms_names *names);

/*
 * Finds the last symbol at or below addr, and its own address; of several at one address the
 * first of the text, as the kernel does (kallsyms_lookup_buildid(), 6.12). Returns its name,
 * which is borrowed, or NULL if addr is below all symbols.
 */
const char *kvfs_ksyms_names_find(const struct kvfs_ksyms_names *names, uint64_t addr,
				  uint64_t *start);

/*
 * Scans path for the addresses of a few symbols without making a table: for symbols that are
 * needed before the range of the image is known (_text, _end). Symbols of modules do not
 * count; of several with one name, the first does. vaddrs[i] is 0 for a name that is not
 * listed. Returns 0 or an error as kvfs_ksyms_load(). Reads no further than the last name found.
 */
int kvfs_ksyms_scan(const char *path, const char *const *names, uint64_t *vaddrs, size_t n,
		    struct kvfs_err *err);

#endif /* KVFS_KERNEL_KSYMS_H */
