// SPDX-License-Identifier: GPL-2.0-only
#include "trace/dir.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tracefs/tracefs.h>

#include "base/cleanup.h"
#include "trace/file.h"

/* trace/ itself, trace/instances/, and trace/instances/NAME/. */
struct tracedir {
	struct kvfs_node node;
	struct kvfs_trace_files *files;	/* a reference */
	char *dir;			/* its folder in tracefs */
	char *label;
};

static const struct kvfs_node_ops top_ops, instances_ops, instance_ops;

/* Cookie of the entry "instances"; those before it are CPU numbers. */
#define COOKIE_INSTANCES (UINT64_C(1) << 40)

static struct tracedir *to_dir(struct kvfs_node *node)
{
	return (struct tracedir *)node;
}

static uint64_t ino_of(const char *dir)
{
	struct stat st;

	return stat(dir, &st) == 0 && S_ISDIR(st.st_mode) ? KVFS_INO(KVFS_PROVIDER_TRACE, st.st_ino) : 0;
}

static void dir_destroy(struct kvfs_node *node)
{
	struct tracedir *dir = to_dir(node);

	kvfs_trace_files_put(dir->files);
	free(dir->dir);
	free(dir->label);
	free(dir);
}

/* Returns NULL if out of memory, or with *gone set if there is no such folder. */
static struct kvfs_node *create(struct kvfs_trace_files *files, const struct kvfs_node_ops *ops,
				const char *path, const char *label, uint64_t parent_ino, bool *gone)
{
	uint64_t ino = ino_of(path);
	struct tracedir *dir;

	*gone = ino == 0;
	if (*gone)
		return NULL;
	dir = calloc(1, sizeof(*dir));
	if (!dir)
		return NULL;
	dir->dir = strdup(path);
	dir->label = strdup(label);
	if (!dir->dir || !dir->label) {
		free(dir->dir);
		free(dir->label);
		free(dir);
		return NULL;
	}
	dir->files = kvfs_trace_files_get(files);
	kvfs_node_init(&dir->node, ops, dir->label, ino, parent_ino);
	return &dir->node;
}

static int subdir(struct tracedir *dir, const struct kvfs_node_ops *ops, const char *path,
		  const char *name, struct kvfs_node **out)
{
	char label[PATH_MAX];
	bool gone;

	snprintf(label, sizeof(label), "%s/%s", dir->label, name);
	*out = create(dir->files, ops, path, label, dir->node.ino, &gone);
	return *out ? 0 : gone ? -ENOENT : -ENOMEM;
}

/* The number in a name "cpuN" as tracefs writes it; -1 if it is none. */
static int cpu_number(const char *name)
{
	char again[32];
	char *end;
	long cpu;

	if (strncmp(name, "cpu", 3) != 0)
		return -1;
	cpu = strtol(name + 3, &end, 10);
	snprintf(again, sizeof(again), "cpu%ld", cpu);
	return cpu >= 0 && cpu <= INT_MAX && strcmp(name, again) == 0 ? (int)cpu : -1;
}

/* The smallest number of a CPU that is not below first, or -1; -errno in *error. */
static int next_cpu(const char *dir, uint64_t first, int *error)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int best = -1;
	DIR *d;

	*error = 0;
	snprintf(path, sizeof(path), "%s/per_cpu", dir);
	d = opendir(path);
	if (!d) {
		*error = -errno;
		return -1;
	}
	while ((entry = readdir(d))) {
		int cpu = cpu_number(entry->d_name);

		if (cpu >= 0 && (uint64_t)cpu >= first && (best < 0 || cpu < best))
			best = cpu;
	}
	closedir(d);
	return best;
}

static int cpu_path(const char *dir, int cpu, char *out, size_t len)
{
	return snprintf(out, len, "%s/per_cpu/cpu%d", dir, cpu) < (int)len ? 0 : -ENAMETOOLONG;
}

static int lookup_cpu(struct tracedir *dir, const char *name, struct kvfs_node **out)
{
	char path[PATH_MAX], label[PATH_MAX];
	int cpu = cpu_number(name);

	if (cpu < 0 || cpu_path(dir->dir, cpu, path, sizeof(path)) < 0)
		return -ENOENT;
	snprintf(label, sizeof(label), "%s/%s", dir->label, name);
	return kvfs_trace_files_lookup(dir->files, path, label, dir->node.ino, out);
}

static int list_cpus(struct tracedir *dir, uint64_t cookie, struct kvfs_dirent *out)
{
	char path[PATH_MAX];
	int error, cpu = next_cpu(dir->dir, cookie, &error);

	if (cpu < 0)
		return error;
	if (cpu_path(dir->dir, cpu, path, sizeof(path)) < 0)
		return -ENAMETOOLONG;
	snprintf(out->name, sizeof(out->name), "cpu%d", cpu);
	out->ino = kvfs_trace_file_ino(path);
	out->kind = KVFS_NODE_FILE;
	out->next = cpu + UINT64_C(1);
	return 1;
}

static int top_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	struct tracedir *dir = to_dir(node);
	char path[PATH_MAX];

	if (strcmp(name, "instances") != 0)
		return lookup_cpu(dir, name, out);
	snprintf(path, sizeof(path), "%s/instances", dir->dir);
	return subdir(dir, &instances_ops, path, name, out);
}

static int top_list(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	struct tracedir *dir = to_dir(node);
	char path[PATH_MAX];
	int ret = cookie < COOKIE_INSTANCES ? list_cpus(dir, cookie, out) : 0;

	if (ret != 0 || cookie > COOKIE_INSTANCES)
		return ret;
	snprintf(path, sizeof(path), "%s/instances", dir->dir);
	out->ino = ino_of(path);
	if (!out->ino)
		return 0;
	strcpy(out->name, "instances");
	out->kind = KVFS_NODE_DIR;
	out->next = COOKIE_INSTANCES + 1;
	return 1;
}

/* The folder of an instance, as libtracefs has it; NULL if out of memory. */
static char *instance_path(const struct tracedir *instances, const char *name)
{
	struct tracefs_instance *instance;
	char *dir = NULL;

	instance = tracefs_instance_alloc(tracefs_tracing_dir(), name);
	if (!instance)
		return NULL;
	dir = tracefs_instance_get_dir(instance);
	tracefs_instance_free(instance);
	return dir;
}

static int instances_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	struct tracedir *dir = to_dir(node);
	char path[PATH_MAX];
	_cleanup_free_ char *instance = NULL;

	/* Before libtracefs is asked, which takes a folder for granted. */
	if (snprintf(path, sizeof(path), "%s/%s", dir->dir, name) >= (int)sizeof(path) || !ino_of(path))
		return -ENOENT;
	instance = instance_path(dir, name);
	if (!instance)
		return -ENOMEM;
	return subdir(dir, &instance_ops, instance, name, out);
}

/* Goes by the number of an instance, which stays, while the list around it changes. */
static int instances_list(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	struct tracedir *dir = to_dir(node);
	char **names = tracefs_instances(NULL);
	uint64_t best = UINT64_MAX;

	for (char **name = names; name && *name; name++) {
		char path[PATH_MAX];
		uint64_t ino;

		if (snprintf(path, sizeof(path), "%s/%s", dir->dir, *name) >= (int)sizeof(path))
			continue;
		ino = ino_of(path);
		if (!ino || ino <= cookie || ino >= best)
			continue;
		best = ino;
		snprintf(out->name, sizeof(out->name), "%s", *name);
	}
	tracefs_list_free(names);
	if (best == UINT64_MAX)
		return 0;
	out->ino = out->next = best;
	out->kind = KVFS_NODE_DIR;
	return 1;
}

static int instance_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	return lookup_cpu(to_dir(node), name, out);
}

static int instance_list(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	int ret = list_cpus(to_dir(node), cookie, out);

	/* It was removed while somebody was looking. */
	return ret == -ENOENT ? 0 : ret;
}

static const struct kvfs_dir_ops top_dir_ops = { .lookup = top_lookup, .list = top_list };
static const struct kvfs_dir_ops instances_dir_ops = {
	.lookup = instances_lookup,
	.list = instances_list,
};
static const struct kvfs_dir_ops instance_dir_ops = {
	.lookup = instance_lookup,
	.list = instance_list,
};

static void top_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	snprintf(out->source, sizeof(out->source), "tracefs on %.*s", (int)sizeof(out->source) - 16,
		 to_dir(node)->dir);
}

/* Names below the top are asked for each time: instances come and go. */
static const struct kvfs_node_ops top_ops = {
	.kind = KVFS_NODE_DIR,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = dir_destroy,
	.describe = top_describe,
	.dir = &top_dir_ops,
};

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

/* Where tracefs is mounted; *path is libtracefs's own. */
static int find_tracefs(bool mount, const char **path, struct kvfs_err *err)
{
	*path = NULL;
	errno = 0;
	if (tracefs_tracing_dir_is_mounted(false, path) > 0 && *path)
		return 0;
	if (!mount)
		return kvfs_err_set(err, ENOENT, "tracefs is not mounted (kviewfs -o mount_tracefs mounts it)");
	errno = 0;
	if (tracefs_tracing_dir_is_mounted(true, path) >= 0 && *path)
		return 0;
	return kvfs_err_sys(err, errno ? errno : ENODEV, "cannot mount tracefs");
}

int kvfs_trace_dir_create(bool mount, struct kvfs_node **out, struct kvfs_err *err)
{
	struct kvfs_trace_files *files;
	const char *path;
	bool gone = false;
	int ret;

	ret = find_tracefs(mount, &path, err);
	if (ret < 0)
		return ret;
	files = kvfs_trace_files_create();
	if (!files)
		return kvfs_err_sys(err, ENOMEM, "trace");
	*out = create(files, &top_ops, path, "trace", KVFS_INO_ROOT, &gone);
	kvfs_trace_files_put(files);
	if (*out)
		return 0;
	return kvfs_err_sys(err, gone ? ENOENT : ENOMEM, "cannot use tracefs on %s", path);
}
