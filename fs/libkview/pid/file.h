/* SPDX-License-Identifier: GPL-2.0-only */
/* The files pid/N/pagemap and pid/N/mincore. */
#ifndef KVFS_PID_FILE_H
#define KVFS_PID_FILE_H

#include "node/node.h"
#include "pid/mincore.h"
#include "pid/process.h"

enum kvfs_pid_file_kind {
	KVFS_PID_FILE_PAGEMAP,
	KVFS_PID_FILE_MINCORE,
	KVFS_PID_FILE_NR_KINDS,
};

/* Why no kernel file can back a file of pid/; for status and user.kview.reason. */
#define KVFS_PID_FILE_NO_BACKING "made at each read; no kernel file has these bytes"

/* What all files of pid/ share. They borrow it; their references to owner keep it alive. */
struct kvfs_pid_file_source {
	struct kvfs_node *owner;
	struct kvfs_mincore *mincore;
	bool parse_maps;		/* as in struct kvfs_mincore_config */
};

/* Returns the name in pid/N of a kind of file. */
const char *kvfs_pid_file_name(enum kvfs_pid_file_kind kind);

/*
 * Makes a file. Borrows source and takes a reference to its owner. Returns a node with a reference
 * for the caller, or NULL if memory is short.
 */
struct kvfs_node *kvfs_pid_file_create(const struct kvfs_pid_file_source *source,
				       const struct kvfs_process_id *id, enum kvfs_pid_file_kind kind,
				       uint64_t ino, uint64_t parent_ino);

#endif /* KVFS_PID_FILE_H */
