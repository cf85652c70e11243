/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a tree is made from: the options of a mount that concern memory. A program fills it in
 * with words such as "kcore=FILE" (docs/kviewfs.8 has them) or sets the members itself.
 */
#ifndef KVFS_TREE_CONFIG_H
#define KVFS_TREE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum kvfs_module_use {
	KVFS_MODULE_AUTO,	/* where it can be used */
	KVFS_MODULE_REQUIRE,	/* the same for a tree; its user checks that it is used */
	KVFS_MODULE_NO,
};

/* Files of one crash dump. */
#define KVFS_CONFIG_MAX_VMCORE 64

/* Smallest cache= that is taken, bytes. */
#define KVFS_CONFIG_MIN_CACHE (2 << 20)

/* Work that takes seconds has come to done of total bytes; what is the name of a file. */
typedef void (*kvfs_config_progress_fn)(void *arg, const char *what, uint64_t done, uint64_t total);

struct kvfs_pool;

/* The pointers are borrowed, but for those that kvfs_config_set() made. */
struct kvfs_config {
	enum kvfs_module_use module;
	const char *device;		/* control device of the module */
	const char *kcore;		/* an ELF core in place of /proc/kcore; or NULL */
	const char *kallsyms;		/* where symbols are read from */
	const char *vmcore[KVFS_CONFIG_MAX_VMCORE];	/* the files of a crash dump */
	unsigned int nr_vmcore;		/* 0: /proc/vmcore, if this is a crash kernel */
	size_t cache_len;		/* bytes of a compressed dump to be kept decompressed */
	const char *tmpdir;		/* where a flattened dump is put in order */
	const char *tracefs;		/* a folder like tracefs in place of this machine's; or NULL */
	bool mount_tracefs;		/* if it is not mounted; without tracefs only */
	bool nouring;			/* do not use io_uring */
	struct kvfs_pool *pool;		/* does parallel and deferred work; never NULL for a tree */
	unsigned int threads;		/* expected to read at a time; 1 or more */
	kvfs_config_progress_fn progress;	/* or NULL */
	void *progress_arg;

	char *owned[KVFS_CONFIG_MAX_VMCORE + 8];	/* texts that kvfs_config_set() made */
	unsigned int nr_owned;
};

/* Sets all members to what holds without options. */
void kvfs_config_init(struct kvfs_config *config);
void kvfs_config_deinit(struct kvfs_config *config);

/*
 * Takes one word. A name of a file is made absolute, so that the working directory may change.
 * Returns 1 if the word is one of those that set something here, 0 if it is not, -EINVAL with a
 * message that names the word if its value is wrong, or -ENOMEM.
 */
int kvfs_config_set(struct kvfs_config *config, const char *word, struct kvfs_err *err);

/*
 * Calls fn for each word of a list. Words are separated by commas, and may be empty; a backslash
 * takes the next character as it is. fn returns 0 or -errno, which ends the call. Returns that,
 * 0, or -ENOMEM.
 */
int kvfs_config_each_word(const char *list, int (*fn)(void *arg, const char *word, struct kvfs_err *err),
			  void *arg, struct kvfs_err *err);

#endif /* KVFS_TREE_CONFIG_H */
