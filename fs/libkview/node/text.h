/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ready-made text files. A constant one has the size of its text and is served from the page
 * cache. A rendered one is written at each open, so that a reader sees one moment; its size is
 * 0, as that of files of /proc is, and stat and readdir do not render it.
 */
#ifndef KVFS_NODE_TEXT_H
#define KVFS_NODE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "node/node.h"

/*
 * Makes a constant file of len bytes. Consumes text, which comes from malloc(3), on failure too.
 * Returns a node with a reference for the caller, or NULL if out of memory.
 */
struct kvfs_node *kvfs_text_create(const char *label, uint64_t ino, uint64_t parent_ino, char *text,
				   size_t len);

/* Writes a text. An error of the stream need not be reported. */
typedef void (*kvfs_text_fn)(void *arg, FILE *out);

/*
 * Makes a file whose text is written by fn(arg), by any thread at any time. arg is borrowed for the
 * life of the node. Returns as kvfs_text_create() does.
 */
struct kvfs_node *kvfs_text_create_rendered(const char *label, uint64_t ino, uint64_t parent_ino,
					    kvfs_text_fn fn, void *arg);

#endif /* KVFS_NODE_TEXT_H */
