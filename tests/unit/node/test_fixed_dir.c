// SPDX-License-Identifier: GPL-2.0-only
#include "node/fixed_dir.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"

static int nr_destroyed;

static void destroy(struct kvfs_node *node)
{
	nr_destroyed++;
	free(node);
}

static const struct kvfs_node_ops file_ops = { .kind = KVFS_NODE_FILE, .destroy = destroy };

static struct kvfs_node *make_file(uint64_t ino)
{
	struct kvfs_node *file = malloc(sizeof(*file));

	kvfs_node_init(file, &file_ops, "file", ino, 9);
	return file;
}

START_TEST(entries)
{
	const struct kvfs_err why = { .errnum = ENODEV, .msg = "why" };
	const struct kvfs_err because = { .errnum = EPERM, .msg = "because" };
	struct kvfs_fixed_dir *dir = kvfs_fixed_dir_create("dir", 9, 1);
	struct kvfs_node *node = &dir->node, *found;
	const struct kvfs_dir_ops *ops = node->ops->dir;
	const char *name, *reason;
	struct kvfs_dirent entry = { .next = 0 };

	ck_assert_int_eq(node->ops->kind, KVFS_NODE_DIR);
	ck_assert(node->ino == 9 && node->parent_ino == 1);
	ck_assert_int_eq(ops->list(node, 0, &entry), 0);
	ck_assert_int_eq(ops->lookup(node, "first", &found), -ENOENT);
	ck_assert(!ops->missing(node, 0, &name, &reason));

	ck_assert_int_eq(kvfs_fixed_dir_add(dir, "first", make_file(5)), 0);
	ck_assert_int_eq(kvfs_fixed_dir_add_missing(dir, "lost", &why), 0);
	ck_assert_int_eq(kvfs_fixed_dir_add(dir, "second", make_file(6)), 0);
	ck_assert_int_eq(kvfs_fixed_dir_add_missing(dir, "gone", &because), 0);
	ck_assert_uint_eq(dir->nr, 4);

	ck_assert_int_eq(ops->lookup(node, "second", &found), 0);
	ck_assert(found->ino == 6 && atomic_load(&found->refs) == 2);
	kvfs_node_put(found);
	ck_assert_int_eq(ops->lookup(node, "lost", &found), -ENOENT);
	ck_assert_int_eq(ops->lookup(node, "firs", &found), -ENOENT);

	ck_assert_int_eq(ops->list(node, entry.next, &entry), 1);
	ck_assert_str_eq(entry.name, "first");
	ck_assert(entry.ino == 5 && entry.kind == KVFS_NODE_FILE);
	ck_assert_int_eq(ops->list(node, entry.next, &entry), 1);
	ck_assert_str_eq(entry.name, "second");
	ck_assert_int_eq(ops->list(node, entry.next, &entry), 0);
	ck_assert_int_eq(ops->list(node, UINT64_MAX, &entry), 0);

	ck_assert(ops->missing(node, 0, &name, &reason));
	ck_assert_str_eq(name, "lost");
	ck_assert_str_eq(reason, "why");
	ck_assert(ops->missing(node, 1, &name, &reason));
	ck_assert_str_eq(name, "gone");
	ck_assert_str_eq(reason, "because");
	ck_assert(!ops->missing(node, 2, &name, &reason));

	nr_destroyed = 0;
	kvfs_node_put(node);
	ck_assert_int_eq(nr_destroyed, 2);
}
END_TEST

START_TEST(no_node_is_no_memory)
{
	struct kvfs_fixed_dir *dir = kvfs_fixed_dir_create("dir", 9, 1);

	ck_assert_int_eq(kvfs_fixed_dir_add(dir, "file", NULL), -ENOMEM);
	ck_assert_uint_eq(dir->nr, 0);
	kvfs_node_put(&dir->node);
}
END_TEST

START_TEST(out_of_memory)
{
	const struct kvfs_err why = { .errnum = ENODEV, .msg = "why" };
	int ret;

	failalloc_try_all(ret, {
		struct kvfs_fixed_dir *dir = kvfs_fixed_dir_create("dir", 9, 1);

		ret = -ENOMEM;
		if (dir) {
			struct kvfs_node *file = malloc(sizeof(*file));

			if (file)
				kvfs_node_init(file, &file_ops, "file", 5, 9);
			ret = kvfs_fixed_dir_add(dir, "file", file);
			if (ret == 0)
				ret = kvfs_fixed_dir_add_missing(dir, "lost", &why);
			kvfs_node_put(&dir->node);
		}
	});
}
END_TEST

UNIT_MAIN("fixed_dir", entries, no_node_is_no_memory, out_of_memory)
