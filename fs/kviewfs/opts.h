/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line. */
#ifndef KVFS_KVIEWFS_OPTS_H
#define KVFS_KVIEWFS_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

enum kvfs_module_use {
	KVFS_MODULE_AUTO,	/* where it can be used */
	KVFS_MODULE_REQUIRE,	/* no mount without */
	KVFS_MODULE_NO,
};

enum kvfs_action {
	KVFS_ACTION_MOUNT,
	KVFS_ACTION_HELP,
	KVFS_ACTION_VERSION,
};

/* Smallest cache= that is taken, bytes. */
#define KVFS_OPTS_MIN_CACHE (2 << 20)

/* Files of one crash dump. */
#define KVFS_OPTS_MAX_VMCORE 64

struct kvfs_opts {
	enum kvfs_action action;
	bool foreground;
	bool debug;			/* implies foreground */
	bool single;
	bool allow_other;
	bool nouring;
	bool mount_tracefs;
	enum kvfs_module_use module;
	const char *mountpoint;		/* set if action is KVFS_ACTION_MOUNT */
	const char *kcore;		/* a file in place of /proc/kcore, absolute; or NULL */
	const char *kallsyms;		/* never NULL */
	const char *device;		/* never NULL */
	const char *vmcore[KVFS_OPTS_MAX_VMCORE];	/* absolute */
	unsigned int nr_vmcore;		/* 0: none was given */
	size_t cache_len;		/* bytes */
	char *owned[KVFS_OPTS_MAX_VMCORE + 8];	/* what the texts above point to */
	unsigned int nr_owned;
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
