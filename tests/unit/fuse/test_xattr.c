// SPDX-License-Identifier: GPL-2.0-only
/* Which attributes a file has is node/attrs's; here it is the mode that they report. */
#include "fuse/xattr.h"

#include <errno.h>

#include "unit.h"

/* In place of backing.c: counts plans. */
static int nr_plans;

void kvfs_backing_plan(struct kvfs_backing *backing, struct kvfs_node *file, enum kvfs_mode *mode,
		       struct kvfs_err *reason, unsigned int *opens)
{
	nr_plans++;
	*mode = KVFS_MODE_CACHED;
	kvfs_err_set(reason, EPERM, "why");
	ck_assert_ptr_null(opens);
}

static void destroy(struct kvfs_node *node)
{
}

static void describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	strcpy(out->source, kvfs_mode_name(mode));
}

static const struct kvfs_node_ops file_ops = { .kind = KVFS_NODE_FILE, .destroy = destroy, .describe = describe };
static const struct kvfs_node_ops dir_ops = { .kind = KVFS_NODE_DIR, .destroy = destroy, .describe = describe };
static struct kvfs_node node;

static void assert_value(const char *name, const char *want)
{
	char buf[KVFS_XATTR_MAX];

	ck_assert_int_eq(kvfs_xattr_get(NULL, &node, name, buf), want ? (int)strlen(want) : -ENODATA);
	if (want)
		ck_assert_mem_eq(buf, want, strlen(want));
}

START_TEST(of_a_file)
{
	static const char names[] = "user.kview.mode\0user.kview.reason\0user.kview.source";
	char buf[KVFS_XATTR_MAX];

	kvfs_node_init(&node, &file_ops, "file", 5, 1);
	assert_value("user.kview.mode", "cached");
	assert_value("user.kview.reason", "why");
	assert_value("user.kview.source", "cached");
	assert_value("user.kview.vaddr", NULL);
	ck_assert_int_eq(kvfs_xattr_list(NULL, &node, buf), sizeof(names));
	ck_assert_mem_eq(buf, names, sizeof(names));
}
END_TEST

START_TEST(of_a_directory)
{
	char buf[KVFS_XATTR_MAX];

	nr_plans = 0;
	kvfs_node_init(&node, &dir_ops, "dir", 5, 1);
	assert_value("user.kview.mode", NULL);
	assert_value("user.kview.reason", NULL);
	assert_value("user.kview.source", "copy");
	ck_assert_int_eq(kvfs_xattr_list(NULL, &node, buf), sizeof("user.kview.source"));
	ck_assert_int_eq(nr_plans, 0);
}
END_TEST

START_TEST(of_others_without_a_plan)
{
	nr_plans = 0;
	kvfs_node_init(&node, &file_ops, "file", 5, 1);
	assert_value("security.capability", NULL);
	assert_value("user.kview.nothing", NULL);
	ck_assert_int_eq(nr_plans, 0);
}
END_TEST

UNIT_MAIN("xattr", of_a_file, of_a_directory, of_others_without_a_plan)
