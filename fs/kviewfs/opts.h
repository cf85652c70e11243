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
	bool single;
	bool allow_other;
	const char *mountpoint;		/* set if action is KVFS_ACTION_MOUNT */
	struct kvfs_config config;	/* what the tree is made from */
};

/*
 * Reads the command line. Returns 0, or -EINVAL with a message that names the word that is
 * wrong, -ENOMEM. *out is for the caller to deinit in either case.
 */
int kvfs_opts_parse(int argc, char *const argv[], struct kvfs_opts *out, struct kvfs_err *err);
void kvfs_opts_deinit(struct kvfs_opts *opts);

/* The text of --help. */
void kvfs_opts_usage(FILE *out);

#endif /* KVFS_KVIEWFS_OPTS_H */
