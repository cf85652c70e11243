/* SPDX-License-Identifier: GPL-2.0-only */
/* The files pid/N/pagemap and pid/N/mincore. */
#ifndef KVFS_PID_FILE_H
#define KVFS_PID_FILE_H

#include "node/node.h"
#include "pid/mincore.h"
#include "pid/process.h"

enum kvfs_pidfile_kind {
	KVFS_PIDFILE_PAGEMAP,
	KVFS_PIDFILE_MINCORE,
	KVFS_PIDFILE_NR_KINDS,
};

/* What all files of pid/ share; borrowed by them, kept alive through `owner`. */
struct kvfs_pidfile_source {
	struct kvfs_node *owner;
	struct kvfs_residency *residency;
	bool parse_maps;		/* as in struct kvfs_residency_config */
};

/* The file's name in pid/N. */
const char *kvfs_pidfile_name(enum kvfs_pidfile_kind kind);

/*
 * Makes a file. source is borrowed, a reference to its owner is taken. Returns a node with a
 * reference for the caller, or NULL.
 */
struct kvfs_node *kvfs_pidfile_create(const struct kvfs_pidfile_source *source,
				      const struct kvfs_procfs_id *id, enum kvfs_pidfile_kind kind,
				      uint64_t ino, uint64_t parent_ino);

#endif /* KVFS_PID_FILE_H */
