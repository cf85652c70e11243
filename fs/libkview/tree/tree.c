// SPDX-License-Identifier: GPL-2.0-only
#include "tree/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "dump/dump.h"
#include "extent/uring.h"
#include "kcore/dir.h"
#include "node/fixed_dir.h"
#include "pid/dir.h"
#include "trace/dir.h"
#include "vmcore/dir.h"

struct kvfs_tree {
	struct kvfs_fixed_dir root;
	struct kvfs_kmod kmod;
	struct kvfs_err kmod_err;	/* why it is not used */
};

static void root_destroy(struct kvfs_node *node)
{
	struct kvfs_tree *tree = (struct kvfs_tree *)node;

	kvfs_fixed_dir_deinit(&tree->root);
	kvfs_kmod_close(&tree->kmod);
	free(tree);
}

static const struct kvfs_node_ops root_ops = {
	.kind = KVFS_NODE_DIR,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = root_destroy,
	.dir = &kvfs_fixed_dir_ops,
};

static void open_module(struct kvfs_tree *tree, const struct kvfs_config *config)
{
	tree->kmod.fd = -1;
	if (config->module == KVFS_MODULE_NO)
		kvfs_err_set(&tree->kmod_err, ENODEV, "the module is not used: module=no was given");
	else
		kvfs_kmod_open(&tree->kmod, config->device, &tree->kmod_err);
}

/* Adds what a create function returned. must: its failure is the tree's. */
static int add(struct kvfs_tree *tree, const char *name, int ret, struct kvfs_node *node,
	       const struct kvfs_err *reason, bool must, struct kvfs_err *err)
{
	if (ret < 0 && must) {
		*err = *reason;
		return ret;
	}
	if (ret < 0)
		ret = kvfs_fixed_dir_add_missing(&tree->root, name, reason);
	else
		ret = kvfs_fixed_dir_add(&tree->root, name, node);
	return ret < 0 ? kvfs_err_sys(err, -ret, "the tree") : 0;
}

static int add_kcore(struct kvfs_tree *tree, const struct kvfs_config *config, struct kvfs_err *err)
{
	const struct kvfs_kcore_source_config source = {
		.file = config->kcore,
		.kallsyms = config->kallsyms,
		.kmod = &tree->kmod,
		.kmod_reason = tree->kmod_err.msg,
		.readers = config->threads,
	};
	struct kvfs_err reason = { 0 };
	struct kvfs_node *node = NULL;
	int ret = kvfs_kcore_dir_create(&source, &node, &reason);

	return add(tree, "kcore", ret, node, &reason, config->kcore, err);
}

static int add_pid(struct kvfs_tree *tree, const struct kvfs_config *config, struct kvfs_err *err)
{
	struct kvfs_err reason = { 0 };
	struct kvfs_node *node = NULL;
	int ret = kvfs_pid_dir_create(config->pool, &node, &reason);

	return add(tree, "pid", ret, node, &reason, false, err);
}

static int add_trace(struct kvfs_tree *tree, const struct kvfs_config *config, struct kvfs_err *err)
{
	struct kvfs_err reason = { 0 };
	struct kvfs_node *node = NULL;
	const struct kvfs_trace_config trace = { .dir = config->tracefs };
	int ret = config->tracefs ? kvfs_trace_dir_create_at(&trace, &node, &reason) :
				    kvfs_trace_dir_create(config->mount_tracefs, &node, &reason);

	return add(tree, "trace", ret, node, &reason, config->tracefs, err);
}

/* Passes progress on with the name of the dump. */
static void tell_progress(void *arg, uint64_t done, uint64_t total)
{
	const struct kvfs_config *config = arg;

	config->progress(config->progress_arg, config->vmcore[0], done, total);
}

static int add_vmcore(struct kvfs_tree *tree, const struct kvfs_config *config, struct kvfs_err *err)
{
	static const char *const of_crash[] = { KVFS_DUMP_PROC };
	const struct kvfs_dump_config dump = {
		.files = config->nr_vmcore ? config->vmcore : of_crash,
		.nr_files = config->nr_vmcore ? config->nr_vmcore : 1,
		.cache_len = config->cache_len,
		.pool = config->pool,
		.threads = config->threads,
		.tmpdir = config->tmpdir,
		.progress = config->progress ? tell_progress : NULL,
		.progress_arg = (void *)config,
	};
	struct kvfs_err reason = { 0 };
	struct kvfs_node *node = NULL;
	int ret;

	if (config->nr_vmcore || access(KVFS_DUMP_PROC, F_OK) == 0)
		ret = kvfs_vmcore_dir_create(&dump, &tree->kmod, tree->kmod_err.msg, &node, &reason);
	else
		ret = kvfs_err_set(&reason, ENODEV, "this is no crash kernel, and no dump was given with -o vmcore=FILE");
	return add(tree, "vmcore", ret, node, &reason, config->nr_vmcore, err);
}

int kvfs_tree_create(const struct kvfs_config *config, struct kvfs_tree **out, struct kvfs_err *err)
{
	struct kvfs_tree *tree = calloc(1, sizeof(*tree));
	int ret;

	if (!tree)
		return kvfs_err_sys(err, ENOMEM, "the tree");
	if (config->nouring)
		kvfs_uring_disable();
	kvfs_fixed_dir_init(&tree->root, &root_ops, "", KVFS_INO_ROOT, KVFS_INO_ROOT);
	open_module(tree, config);
	ret = add_kcore(tree, config, err);
	if (ret == 0)
		ret = add_pid(tree, config, err);
	if (ret == 0)
		ret = add_trace(tree, config, err);
	if (ret == 0)
		ret = add_vmcore(tree, config, err);
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
		kvfs_node_put(&tree->root.node);
}

int kvfs_tree_add(struct kvfs_tree *tree, const char *name, struct kvfs_node *node)
{
	return kvfs_fixed_dir_add(&tree->root, name, node);
}

struct kvfs_node *kvfs_tree_root(struct kvfs_tree *tree)
{
	return &tree->root.node;
}

const struct kvfs_kmod *kvfs_tree_kmod(const struct kvfs_tree *tree, const char **reason)
{
	*reason = tree->kmod_err.msg;
	return &tree->kmod;
}
