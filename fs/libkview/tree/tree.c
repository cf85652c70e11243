// SPDX-License-Identifier: GPL-2.0-only
#include "tree/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "fuse/log.h"
#include "kcore/dir.h"
#include "kernel/kmod.h"
#include "node/text.h"
#include "pid/dir.h"
#include "trace/dir.h"
#include "vmcore/dir.h"

/* Numbers within KVFS_PROVIDER_INFO; 1 is the root's. */
enum {
	NR_README = 2,
	NR_STATUS,
};

enum {
	ENTRY_README,
	ENTRY_STATUS,
	ENTRY_KCORE,
	ENTRY_PID,
	ENTRY_TRACE,
	ENTRY_VMCORE,
	NR_ENTRIES,
};

struct kvfs_tree {
	struct kvfs_node root;
	struct kvfs_entry entries[NR_ENTRIES];
	struct kvfs_err errs[NR_ENTRIES];	/* why an entry is missing */
	struct kvfs_kmod kmod;
	struct kvfs_err kmod_err;
	struct kvfs_status status;
};

static struct kvfs_tree *to_tree(struct kvfs_node *node)
{
	return (struct kvfs_tree *)node;
}

static int root_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	return kvfs_entries_lookup(to_tree(node)->entries, NR_ENTRIES, name, out);
}

static int root_list(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	return kvfs_entries_list(to_tree(node)->entries, NR_ENTRIES, cookie, out);
}

static bool root_missing(struct kvfs_node *node, size_t i, const char **name, const char **reason)
{
	return kvfs_entries_missing(to_tree(node)->entries, NR_ENTRIES, i, name, reason);
}

static void root_destroy(struct kvfs_node *node)
{
	struct kvfs_tree *tree = to_tree(node);

	for (size_t i = 0; i < NR_ENTRIES; i++)
		kvfs_node_put(tree->entries[i].node);
	kvfs_kmod_close(&tree->kmod);
	free(tree);
}

static const struct kvfs_dir_ops dir_ops = {
	.lookup = root_lookup,
	.list = root_list,
	.missing = root_missing,
};

static const struct kvfs_node_ops root_ops = {
	.kind = KVFS_NODE_DIR,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = root_destroy,
	.dir = &dir_ops,
};

static void open_module(struct kvfs_tree *tree, const struct kvfs_opts *opts)
{
	tree->kmod.fd = -1;
	if (opts->module == KVFS_MODULE_NO)
		kvfs_err_set(&tree->kmod_err, ENODEV, "the module is not used: module=no was given");
	else
		kvfs_kmod_open(&tree->kmod, opts->device, &tree->kmod_err);
}

static int add_kcore(struct kvfs_tree *tree, const struct kvfs_opts *opts, unsigned int readers,
		     struct kvfs_err *err)
{
	const struct kvfs_kcore_source_config config = {
		.file = opts->kcore,
		.kallsyms = opts->kallsyms,
		.kmod = &tree->kmod,
		.kmod_reason = tree->kmod_err.msg,
		.readers = readers,
	};
	struct kvfs_entry *entry = &tree->entries[ENTRY_KCORE];
	struct kvfs_err *missing = &tree->errs[ENTRY_KCORE];
	int ret;

	entry->name = "kcore";
	entry->reason = missing->msg;
	ret = kvfs_kcore_dir_create(&config, &entry->node, missing);
	if (ret < 0 && opts->kcore) {
		*err = *missing;
		return ret;
	}
	return 0;
}

static void add_pid(struct kvfs_tree *tree, struct kvfs_pool *pool)
{
	struct kvfs_entry *entry = &tree->entries[ENTRY_PID];
	struct kvfs_err *missing = &tree->errs[ENTRY_PID];

	entry->name = "pid";
	entry->reason = missing->msg;
	kvfs_pid_dir_create(pool, &entry->node, missing);
}

static void add_trace(struct kvfs_tree *tree, const struct kvfs_opts *opts)
{
	struct kvfs_entry *entry = &tree->entries[ENTRY_TRACE];
	struct kvfs_err *missing = &tree->errs[ENTRY_TRACE];

	entry->name = "trace";
	entry->reason = missing->msg;
	kvfs_trace_dir_create(opts->mount_tracefs, &entry->node, missing);
}

/* One line for each time that this has taken so many seconds more. */
#define PROGRESS_SECONDS 2

struct progress {
	const char *what;
	time_t last;
};

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void tell_progress(void *arg, uint64_t done, uint64_t total)
{
	struct progress *progress = arg;

	if (now() - progress->last < PROGRESS_SECONDS)
		return;
	progress->last = now();
	kvfs_log_info("putting %s in order: %.0f %%", progress->what,
		      total ? 100.0 * (double)done / (double)total : 0);
}

static int add_vmcore(struct kvfs_tree *tree, const struct kvfs_opts *opts, unsigned int threads,
		      struct kvfs_err *err)
{
	static const char *const of_crash[] = { KVFS_DUMP_PROC };
	struct progress progress = { .what = opts->vmcore[0], .last = now() };
	const char *tmpdir = getenv("TMPDIR");
	const struct kvfs_dump_config config = {
		.files = opts->nr_vmcore ? opts->vmcore : of_crash,
		.nr_files = opts->nr_vmcore ? opts->nr_vmcore : 1,
		.cache_len = opts->cache_len,
		.threads = threads,
		.tmpdir = tmpdir && *tmpdir ? tmpdir : "/var/tmp",
		.progress = tell_progress,
		.progress_arg = &progress,
	};
	struct kvfs_entry *entry = &tree->entries[ENTRY_VMCORE];
	struct kvfs_err *missing = &tree->errs[ENTRY_VMCORE];

	entry->name = "vmcore";
	entry->reason = missing->msg;
	if (opts->nr_vmcore)
		return kvfs_vmcore_dir_create(&config, &tree->kmod, tree->kmod_err.msg, &entry->node, err);
	if (access(KVFS_DUMP_PROC, F_OK) == 0)
		kvfs_vmcore_dir_create(&config, &tree->kmod, tree->kmod_err.msg, &entry->node, missing);
	else
		kvfs_err_set(missing, ENODEV, "this is no crash kernel, and no dump was given with -o vmcore=FILE");
	return 0;
}

static void write_status(void *arg, FILE *out)
{
	kvfs_status_write(arg, out);
}

static int add_entries(struct kvfs_tree *tree, const struct kvfs_opts *opts, struct kvfs_pool *pool,
		       unsigned int readers, struct kvfs_err *err)
{
	struct kvfs_entry *readme = &tree->entries[ENTRY_README];
	struct kvfs_entry *status = &tree->entries[ENTRY_STATUS];
	int ret;

	readme->name = "README";
	readme->node = kvfs_text_create("README", kvfs_text_readme, NULL, false, NR_README);
	status->name = "status";
	status->node = kvfs_text_create("status", write_status, &tree->status, true, NR_STATUS);
	if (!readme->node || !status->node)
		return kvfs_err_sys(err, ENOMEM, "the tree");
	add_pid(tree, pool);
	add_trace(tree, opts);
	ret = add_kcore(tree, opts, readers, err);
	return ret < 0 ? ret : add_vmcore(tree, opts, readers, err);
}

int kvfs_tree_create(const struct kvfs_opts *opts, struct kvfs_backing *backing, struct kvfs_pool *pool,
		     unsigned int readers, struct kvfs_tree **out, struct kvfs_err *err)
{
	struct kvfs_tree *tree = calloc(1, sizeof(*tree));
	int ret;

	if (!tree)
		return kvfs_err_sys(err, ENOMEM, "the tree");
	kvfs_node_init(&tree->root, &root_ops, "", KVFS_INO_ROOT, KVFS_INO_ROOT);
	open_module(tree, opts);
	tree->status = (struct kvfs_status) {
		.kmod = &tree->kmod,
		.kmod_reason = tree->kmod_err.msg,
		.backing = backing,
		.root = &tree->root,
	};
	ret = add_entries(tree, opts, pool, readers, err);
	if (ret < 0) {
		kvfs_tree_destroy(tree);
		return ret;
	}
	*out = tree;
	return 0;
}

void kvfs_tree_destroy(struct kvfs_tree *tree)
{
	if (tree)
		kvfs_node_put(&tree->root);
}

struct kvfs_node *kvfs_tree_root(struct kvfs_tree *tree)
{
	return &tree->root;
}

const struct kvfs_status *kvfs_tree_status(const struct kvfs_tree *tree)
{
	return &tree->status;
}
