// SPDX-License-Identifier: GPL-2.0-only
/* module=require, on trees that are made up; tests/mount and tests/vm have the texts. */
#include "fuse/status.h"

#include <errno.h>

#include "kernel/features.h"
#include "unit.h"

/* In the place of backing.c, features.c and kmod.c: what cannot be backed is copied. */
void kvfs_backing_plan(struct kvfs_backing *backing, struct kvfs_node *file, enum kvfs_mode *mode,
		       struct kvfs_err *reason, unsigned int *opens)
{
	reason->errnum = 0;
	if (file->ops->file->can_back(file, mode, reason) < 0)
		*mode = file->ops->file->unchanging ? KVFS_MODE_CACHED : KVFS_MODE_COPY;
}

void kvfs_backing_rehearse(struct kvfs_backing *backing, struct kvfs_node *file)
{
}

bool kvfs_backing_passthrough(const struct kvfs_backing *backing, const char **reason)
{
	return true;
}

bool kvfs_backing_shared_mmap(const struct kvfs_backing *backing)
{
	return true;
}

const char *kvfs_backing_libfuse_version(void)
{
	return "0";
}

void kvfs_features_load(struct kvfs_features *out)
{
}

int kvfs_kmod_ask(const struct kvfs_kmod *kmod, struct kview_info *out, struct kvfs_err *err)
{
	return -ENODEV;
}

/* Files, by what the view says of a backing. */

static int can_back(struct kvfs_node *file, enum kvfs_mode *mode, struct kvfs_err *err)
{
	*mode = KVFS_MODE_DIRECT;
	return 0;
}

static int has_no_module(struct kvfs_node *file, enum kvfs_mode *mode, struct kvfs_err *err)
{
	return kvfs_err_set(err, ENODEV, "no module");
}

static int is_no_pages(struct kvfs_node *file, enum kvfs_mode *mode, struct kvfs_err *err)
{
	return kvfs_err_set(err, EINVAL, "it ends within a page");
}

static void destroy(struct kvfs_node *node)
{
}

static const struct kvfs_blocking_ops blocking_ops;
#define FILE_OPS(...) \
	{ .kind = KVFS_NODE_FILE, .destroy = destroy, .file = &(const struct kvfs_file_ops){ __VA_ARGS__ } }
static const struct kvfs_node_ops direct_ops = FILE_OPS(.can_back = can_back);
static const struct kvfs_node_ops copied_ops = FILE_OPS(.can_back = has_no_module);
static const struct kvfs_node_ops cached_ops = FILE_OPS(.can_back = has_no_module, .unchanging = true);
static const struct kvfs_node_ops odd_ops = FILE_OPS(.can_back = is_no_pages);
static const struct kvfs_node_ops blocking_copy_ops = FILE_OPS(.can_back = has_no_module, .blocking = &blocking_ops);
static const struct kvfs_node_ops text_ops = FILE_OPS(.no_backing = "a text");

/* Directories: the root, and one in it, with the entries that a test gives them. */

struct dir {
	struct kvfs_node node;
	struct kvfs_entry entries[4];
	size_t n;
};

static int lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	struct dir *dir = (struct dir *)node;

	return kvfs_entries_lookup(dir->entries, dir->n, name, out);
}

static int list(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	struct dir *dir = (struct dir *)node;

	return kvfs_entries_list(dir->entries, dir->n, cookie, out);
}

static bool missing(struct kvfs_node *node, size_t i, const char **name, const char **reason)
{
	struct dir *dir = (struct dir *)node;

	return kvfs_entries_missing(dir->entries, dir->n, i, name, reason);
}

static const struct kvfs_dir_ops dir_ops = { .lookup = lookup, .list = list, .missing = missing };
static const struct kvfs_node_ops dir_node_ops = { .kind = KVFS_NODE_DIR, .destroy = destroy, .dir = &dir_ops };

static struct dir root, kcore, other;
static struct kvfs_node file_in_kcore, file_in_other;

/* A tree of kcore/ram and other/file, with these operations; NULL: the directory is missing. */
static int require(const struct kvfs_node_ops *in_kcore, const char *other_name,
		   const struct kvfs_node_ops *in_other, struct kvfs_err *err)
{
	const struct kvfs_status status = { .root = &root.node };

	root = (struct dir) {
		.entries = {
			{ .name = "kcore", .node = in_kcore ? &kcore.node : NULL, .reason = "no source" },
			{ .name = other_name, .node = in_other ? &other.node : NULL, .reason = "no kernel for it" },
		},
		.n = 2,
	};
	kcore = (struct dir) {
		.entries = { { .name = "ram", .node = &file_in_kcore }, { .name = "text", .reason = "no image" } },
		.n = 2,
	};
	other = (struct dir) { .entries = { { .name = "file", .node = &file_in_other } }, .n = 1 };
	kvfs_node_init(&root.node, &dir_node_ops, "/", 1, 1);
	kvfs_node_init(&kcore.node, &dir_node_ops, "kcore", 2, 1);
	kvfs_node_init(&other.node, &dir_node_ops, other_name, 3, 1);
	kvfs_node_init(&file_in_kcore, in_kcore ? in_kcore : &text_ops, "kcore/ram", 4, 2);
	kvfs_node_init(&file_in_other, in_other ? in_other : &text_ops, "file", 5, 3);
	*err = (struct kvfs_err) { 0 };
	return kvfs_status_require_backing(&status, err);
}

START_TEST(what_the_module_can_serve_is_required)
{
	struct kvfs_err err;
	int ret;

	ck_assert_int_eq(require(&direct_ops, "vmcore", &direct_ops, &err), 0);
	ret = require(&copied_ops, "vmcore", &direct_ops, &err);
	unit_assert_error(ret, ENODEV, err, "kcore/ram would be a copy: no module");
	ret = require(&direct_ops, "vmcore", &copied_ops, &err);
	unit_assert_error(ret, ENODEV, err, "vmcore/file would be a copy: no module");
	ret = require(NULL, "vmcore", &direct_ops, &err);
	unit_assert_error(ret, ENODEV, err, "no kcore: no source");
}
END_TEST

START_TEST(what_no_module_can_mend_is_not)
{
	static const char *const others[] = { "pid", "trace", "vmcore" };
	struct kvfs_err err;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(require(&direct_ops, others[i], NULL, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(require(&direct_ops, "pid", &text_ops, &err), 0);
	ck_assert_int_eq(require(&direct_ops, "trace", &blocking_copy_ops, &err), 0);
	ck_assert_int_eq(require(&direct_ops, "vmcore", &cached_ops, &err), 0);
	ck_assert_int_eq(require(&direct_ops, "vmcore", &odd_ops, &err), 0);
}
END_TEST

UNIT_MAIN("status", what_the_module_can_serve_is_required, what_no_module_can_mend_is_not)
