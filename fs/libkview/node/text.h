/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files with a text that the daemon writes: README and status. The text is made anew for
 * each open, so that a reader sees one moment and not several.
 */
#ifndef KVFS_NODE_TEXT_H
#define KVFS_NODE_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "node/node.h"

/* Writes the text; an error of the stream need not be reported. */
typedef void (*kvfs_text_fn)(void *arg, FILE *out);

/*
 * Makes a file whose text is written by fn(arg), any number of times, by any thread. changes:
 * the text is not the same each time, so its size must be asked for. nr is the number within
 * KVFS_PROVIDER_INFO, not 1, which is the root's. NULL: out of memory.
 */
struct kvfs_node *kvfs_text_create(const char *label, kvfs_text_fn fn, void *arg,
				   bool changes, unsigned int nr);

/* The text of README. arg is not used. */
void kvfs_text_readme(void *arg, FILE *out);

#endif /* KVFS_NODE_TEXT_H */
