// SPDX-License-Identifier: GPL-2.0-only
#include "node/fixed_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kvfs_fixed_entry {
	const char *name;
	struct kvfs_node *node;		/* a reference; NULL if it is missing */
	char *reason;			/* why it is missing */
};

static struct kvfs_fixed_dir *to_dir(struct kvfs_node *node)
{
	return (struct kvfs_fixed_dir *)node;
}

static struct kvfs_fixed_entry *add(struct kvfs_fixed_dir *dir, const char *name)
{
	struct kvfs_fixed_entry *entries = reallocarray(dir->entries, dir->nr + 1, sizeof(*entries));

	if (!entries)
		return NULL;
	dir->entries = entries;
	entries[dir->nr] = (struct kvfs_fixed_entry){ .name = name };
	return &entries[dir->nr];
}

int kvfs_fixed_dir_add(struct kvfs_fixed_dir *dir, const char *name, struct kvfs_node *node)
{
	struct kvfs_fixed_entry *entry = node ? add(dir, name) : NULL;

	if (!entry) {
		kvfs_node_put(node);
		return -ENOMEM;
	}
	entry->node = node;
	dir->nr++;
	return 0;
}

int kvfs_fixed_dir_add_missing(struct kvfs_fixed_dir *dir, const char *name, const struct kvfs_err *reason)
{
	struct kvfs_fixed_entry *entry = add(dir, name);

	if (!entry)
		return -ENOMEM;
	entry->reason = strdup(reason->msg);
	if (!entry->reason)
		return -ENOMEM;
	dir->nr++;
	return 0;
}

int kvfs_fixed_dir_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	const struct kvfs_fixed_dir *dir = to_dir(node);

	for (size_t i = 0; i < dir->nr; i++) {
		if (dir->entries[i].node && strcmp(dir->entries[i].name, name) == 0) {
			*out = kvfs_node_get(dir->entries[i].node);
			return 0;
		}
	}
	return -ENOENT;
}

int kvfs_fixed_dir_list(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	const struct kvfs_fixed_dir *dir = to_dir(node);

	for (size_t i = cookie; i < dir->nr; i++) {
		const struct kvfs_fixed_entry *entry = &dir->entries[i];

		if (!entry->node)
			continue;
		snprintf(out->name, sizeof(out->name), "%s", entry->name);
		out->ino = entry->node->ino;
		out->kind = entry->node->ops->kind;
		out->next = i + 1;
		return 1;
	}
	return 0;
}

bool kvfs_fixed_dir_missing(struct kvfs_node *node, size_t i, const char **name, const char **reason)
{
	const struct kvfs_fixed_dir *dir = to_dir(node);

	for (size_t j = 0; j < dir->nr; j++) {
		if (dir->entries[j].node || i-- > 0)
			continue;
		*name = dir->entries[j].name;
		*reason = dir->entries[j].reason;
		return true;
	}
	return false;
}

const struct kvfs_dir_ops kvfs_fixed_dir_ops = {
	.lookup = kvfs_fixed_dir_lookup,
	.list = kvfs_fixed_dir_list,
	.missing = kvfs_fixed_dir_missing,
};

static void destroy(struct kvfs_node *node)
{
	kvfs_fixed_dir_deinit(to_dir(node));
	free(to_dir(node));
}

static const struct kvfs_node_ops node_ops = {
	.kind = KVFS_NODE_DIR,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = destroy,
	.dir = &kvfs_fixed_dir_ops,
};

struct kvfs_fixed_dir *kvfs_fixed_dir_create(const char *label, uint64_t ino, uint64_t parent_ino)
{
	struct kvfs_fixed_dir *dir = malloc(sizeof(*dir));

	if (dir)
		kvfs_fixed_dir_init(dir, &node_ops, label, ino, parent_ino);
	return dir;
}

void kvfs_fixed_dir_init(struct kvfs_fixed_dir *dir, const struct kvfs_node_ops *ops, const char *label,
			 uint64_t ino, uint64_t parent_ino)
{
	kvfs_node_init(&dir->node, ops, label, ino, parent_ino);
	dir->entries = NULL;
	dir->nr = 0;
}

void kvfs_fixed_dir_deinit(struct kvfs_fixed_dir *dir)
{
	for (size_t i = 0; i < dir->nr; i++) {
		kvfs_node_put(dir->entries[i].node);
		free(dir->entries[i].reason);
	}
	free(dir->entries);
}
