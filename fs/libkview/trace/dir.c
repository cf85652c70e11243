// SPDX-License-Identifier: GPL-2.0-only
#include "trace/dir.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "trace/file.h"
#include "trace/find.h"
#include "trace/listing.h"

/* trace/ itself, trace/instances/, and trace/instances/NAME/. */
struct tracedir {
	struct kvfs_node node;
	struct kvfs_trace_files *files;	/* a reference */
	char *dir;			/* its folder in tracefs */
	char *label;
};

static const struct kvfs_node_ops top_ops, instances_ops, instance_ops;

/* Cookie of the entry "instances"; the cookie of a CPU is its number. */
#define COOKIE_INSTANCES (UINT64_C(1) << 40)

static struct tracedir *to_dir(struct kvfs_node *node)
{
	return (struct tracedir *)node;
}

static void dir_destroy(struct kvfs_node *node)
{
	struct tracedir *dir = to_dir(node);

	kvfs_trace_files_put(dir->files);
	free(dir->dir);
	free(dir->label);
	free(dir);
}

/* Returns 0, -ENOENT if there is no such folder, or -errno. */
static int create(struct kvfs_trace_files *files, const struct kvfs_node_ops *ops, const char *path,
		  const char *label, uint64_t parent_ino, struct kvfs_node **out)
{
	struct tracedir *dir;
	uint64_t ino;
	int ret = kvfs_trace_listing_dir_ino(path, &ino);

	if (ret < 0)
		return ret;
	dir = calloc(1, sizeof(*dir));
	if (!dir)
		return -ENOMEM;
	dir->dir = strdup(path);
	dir->label = strdup(label);
	if (!dir->dir || !dir->label) {
		free(dir->dir);
		free(dir->label);
		free(dir);
		return -ENOMEM;
	}
	dir->files = kvfs_trace_files_get(files);
	kvfs_node_init(&dir->node, ops, dir->label, KVFS_INO(KVFS_PROVIDER_TRACE, ino), parent_ino);
	*out = &dir->node;
	return 0;
}

static int subdir(struct tracedir *dir, const struct kvfs_node_ops *ops, const char *name,
		  struct kvfs_node **out)
{
	char path[PATH_MAX], label[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir->dir, name) >= (int)sizeof(path) ||
	    snprintf(label, sizeof(label), "%s/%s", dir->label, name) >= (int)sizeof(label))
		return -ENAMETOOLONG;
	return create(dir->files, ops, path, label, dir->node.ino, out);
}

static int lookup_cpu(struct tracedir *dir, const char *name, struct kvfs_node **out)
{
	char path[PATH_MAX], label[PATH_MAX];
	uint64_t cpu;

	if (kvfs_number_parse_name(name, "cpu", INT_MAX, &cpu) < 0)
		return -ENOENT;
	if (snprintf(path, sizeof(path), "%s/per_cpu/%s", dir->dir, name) >= (int)sizeof(path) ||
	    snprintf(label, sizeof(label), "%s/%s", dir->label, name) >= (int)sizeof(label))
		return -ENAMETOOLONG;
	return kvfs_trace_file_lookup(dir->files, path, (unsigned int)cpu, label, dir->node.ino, out);
}

static int top_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	struct tracedir *dir = to_dir(node);

	return strcmp(name, "instances") == 0 ? subdir(dir, &instances_ops, name, out) :
						lookup_cpu(dir, name, out);
}

static int instances_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	return subdir(to_dir(node), &instance_ops, name, out);
}

static int instance_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	return lookup_cpu(to_dir(node), name, out);
}

/* A reader is a listing, which is loaded at cookie 0. */

static int reader_open(struct kvfs_node *node, void **reader)
{
	*reader = calloc(1, sizeof(struct kvfs_trace_listing));
	return *reader ? 0 : -ENOMEM;
}

static void reader_release(struct kvfs_node *node, void *reader)
{
	kvfs_trace_listing_free(reader);
	free(reader);
}

/* For a caller without a reader. Costs as much as a whole listing does. */
static int list_once(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	void *reader;
	int ret = reader_open(node, &reader);

	if (ret < 0)
		return ret;
	ret = node->ops->dir->list_on(node, reader, cookie, out);
	reader_release(node, reader);
	return ret;
}

typedef int (*load_fn)(struct kvfs_trace_listing *out, const char *dir);

/* Fills in an entry of a listing, with the first key from `from` on. Returns 1, 0, or -errno. */
static int list_from(struct tracedir *dir, struct kvfs_trace_listing *listing, load_fn load,
		     bool again, uint64_t from, struct kvfs_dirent *out)
{
	const struct kvfs_trace_listed *listed;
	int ret = again || !listing->v ? load(listing, dir->dir) : 0;

	/* An instance may be removed while it is listed: then it is empty. */
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	listed = kvfs_trace_listing_from(listing, from);
	if (!listed)
		return 0;
	snprintf(out->name, sizeof(out->name), "%s", listed->name);
	out->ino = KVFS_INO(KVFS_PROVIDER_TRACE, listed->ino);
	out->next = listed->key + 1;
	return 1;
}

static int list_cpus(struct kvfs_node *node, void *reader, uint64_t cookie, struct kvfs_dirent *out)
{
	out->kind = KVFS_NODE_FILE;
	return list_from(to_dir(node), reader, kvfs_trace_listing_load_cpus, cookie == 0, cookie, out);
}

static int list_instances(struct kvfs_node *node, void *reader, uint64_t cookie,
			  struct kvfs_dirent *out)
{
	out->kind = KVFS_NODE_DIR;
	return list_from(to_dir(node), reader, kvfs_trace_listing_load_instances, cookie == 0, cookie,
			 out);
}

static int list_top(struct kvfs_node *node, void *reader, uint64_t cookie, struct kvfs_dirent *out)
{
	struct tracedir *dir = to_dir(node);
	char path[PATH_MAX];
	uint64_t ino;
	int ret = cookie < COOKIE_INSTANCES ? list_cpus(node, reader, cookie, out) : 0;

	if (ret != 0 || cookie > COOKIE_INSTANCES)
		return ret;
	if (snprintf(path, sizeof(path), "%s/instances", dir->dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	ret = kvfs_trace_listing_dir_ino(path, &ino);
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	strcpy(out->name, "instances");
	out->ino = KVFS_INO(KVFS_PROVIDER_TRACE, ino);
	out->kind = KVFS_NODE_DIR;
	out->next = COOKIE_INSTANCES + 1;
	return 1;
}

#define DIR_OPS(lookup_fn, list_fn) { \
	.lookup = lookup_fn, \
	.list = list_once, \
	.open = reader_open, \
	.release = reader_release, \
	.list_on = list_fn, \
}

static const struct kvfs_dir_ops top_dir_ops = DIR_OPS(top_lookup, list_top);
static const struct kvfs_dir_ops instances_dir_ops = DIR_OPS(instances_lookup, list_instances);
static const struct kvfs_dir_ops instance_dir_ops = DIR_OPS(instance_lookup, list_cpus);

static void top_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	snprintf(out->source, sizeof(out->source), "tracefs on %.*s", (int)sizeof(out->source) - 16,
		 to_dir(node)->dir);
}

static const struct kvfs_node_ops top_ops = {
	.kind = KVFS_NODE_DIR,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = dir_destroy,
	.describe = top_describe,
	.dir = &top_dir_ops,
};

/* Without timeouts the kernel looks up names below the top each time: instances come and go. */
static const struct kvfs_node_ops instances_ops = {
	.kind = KVFS_NODE_DIR,
	.destroy = dir_destroy,
	.dir = &instances_dir_ops,
};

static const struct kvfs_node_ops instance_ops = {
	.kind = KVFS_NODE_DIR,
	.destroy = dir_destroy,
	.dir = &instance_dir_ops,
};

int kvfs_trace_dir_create_at(const struct kvfs_trace_config *config, struct kvfs_node **out,
			     struct kvfs_err *err)
{
	struct kvfs_trace_files *files = kvfs_trace_files_create(config->online, config->release);
	int ret;

	if (!files)
		return kvfs_err_sys(err, ENOMEM, "trace");
	ret = create(files, &top_ops, config->dir, "trace", KVFS_INO_ROOT, out);
	kvfs_trace_files_put(files);
	return ret < 0 ? kvfs_err_sys(err, -ret, "cannot use tracefs on %s", config->dir) : 0;
}

int kvfs_trace_dir_create(bool mount, struct kvfs_node **out, struct kvfs_err *err)
{
	char path[PATH_MAX];
	int ret = kvfs_trace_find(mount, path, sizeof(path), err);

	return ret < 0 ? ret : kvfs_trace_dir_create_at(&(struct kvfs_trace_config) { .dir = path }, out, err);
}
