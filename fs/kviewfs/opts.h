/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line. */
#ifndef KVFS_KVIEWFS_OPTS_H
#define KVFS_KVIEWFS_OPTS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "tree/config.h"

enum kvfs_action {
	KVFS_ACTION_MOUNT,
	KVFS_ACTION_HELP,
	KVFS_ACTION_VERSION,
};

struct kvfs_opts {
	enum kvfs_action action;
	bool foreground;
	bool debug;			/* implies foreground */
	bool single;			/* one request at a time */
	bool allow_other;		/* docs/kviewfs.8 */
	const char *mountpoint;		/* set if action is KVFS_ACTION_MOUNT */
	struct kvfs_config config;	/* what the tree is made from */
};

/*
 * Parses the command line. Returns 0, -EINVAL with a message that names the word that is wrong, or
 * -ENOMEM. The caller calls kvfs_opts_deinit() in all cases.
 */
int kvfs_opts_parse(int argc, char *const argv[], struct kvfs_opts *out, struct kvfs_err *err);
void kvfs_opts_deinit(struct kvfs_opts *opts);

/* Writes the text of --help. */
void kvfs_opts_usage(FILE *out);

#endif /* KVFS_KVIEWFS_OPTS_H */
