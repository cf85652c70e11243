/* SPDX-License-Identifier: GPL-2.0-only */
/* Names for kernel addresses, out of /proc/kallsyms. */
#ifndef KVFS_KVIEW_TRACE_SYMBOLS_H
#define KVFS_KVIEW_TRACE_SYMBOLS_H

#include <stdint.h>

struct symbols;

/* Loads all symbols, those of modules as well; NULL if they cannot be had. */
struct symbols *symbols_load(const char *path);
void symbols_destroy(struct symbols *symbols);

/*
 * The symbol that addr lies behind, and its own address; NULL if there is none. The name is
 * borrowed.
 */
const char *symbols_find(const struct symbols *symbols, uint64_t addr, uint64_t *start);

#endif /* KVFS_KVIEW_TRACE_SYMBOLS_H */
