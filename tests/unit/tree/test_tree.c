// SPDX-License-Identifier: GPL-2.0-only
#include "tree/tree.h"

#include <errno.h>

#include "base/pool.h"
#include "kview_fixture.h"
#include "node/text.h"

static struct kvfs_pool *pool;
static struct kvfs_err err;

/* Makes a tree with one option, or none if it is NULL. */
static int make(const char *word, struct kvfs_tree **out)
{
	struct kvfs_config config;
	int ret;

	if (!pool)
		ck_assert_int_eq(kvfs_pool_create(16, &pool), 0);
	kvfs_config_init(&config);
	config.pool = pool;
	config.module = KVFS_MODULE_NO;
	if (word)
		ck_assert_int_eq(kvfs_config_set(&config, word, &err), 1);
	memset(&err, 0, sizeof(err));
	ret = kvfs_tree_create(&config, out, &err);
	if (ret < 0)
		kvfs_config_deinit(&config);
	return ret;
}

/* Whether the root has an entry, and if it is missing, why. */
static bool has(struct kvfs_tree *tree, const char *name, const char **reason)
{
	struct kvfs_node *root = kvfs_tree_root(tree), *node;
	const char *missing;

	*reason = NULL;
	for (size_t i = 0; root->ops->dir->missing(root, i, &missing, reason); i++) {
		if (strcmp(missing, name) == 0)
			return false;
	}
	*reason = NULL;
	if (root->ops->dir->lookup(root, name, &node) < 0)
		return false;
	ck_assert_uint_eq(node->parent_ino, root->ino);
	kvfs_node_put(node);
	return true;
}

START_TEST(each_directory_is_there_or_missing)
{
	static const char *const names[] = { "kcore", "pid", "trace", "vmcore" };
	struct kvfs_tree *tree;
	const char *reason;

	ck_assert_int_eq(make(NULL, &tree), 0);
	ck_assert_uint_eq(kvfs_tree_root(tree)->ino, KVFS_INO_ROOT);
	for (size_t i = 0; i < 4; i++)
		ck_assert_msg(has(tree, names[i], &reason) || (reason && *reason), "%s", names[i]);
	kvfs_tree_destroy(tree);
	kvfs_tree_destroy(NULL);
	kvfs_pool_destroy(pool);
}
END_TEST

START_TEST(what_the_user_names_must_be_there)
{
	static const struct {
		const char *word;
		int errnum;
	} cases[] = {
		{ "kcore=/nonexistent", ENOENT }, { "vmcore=/nonexistent", ENOENT },
		{ "vmcore=/dev/null", 0 }, { "kcore=/dev/null", 0 }, { "tracefs=/nonexistent", ENOENT },
	};
	struct kvfs_tree *tree;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ret = make(cases[i].word, &tree);

		ck_assert_msg(ret < 0 && err.errnum == -ret, "%s", cases[i].word);
		if (cases[i].errnum)
			ck_assert_int_eq(ret, -cases[i].errnum);
		ck_assert_ptr_nonnull(strstr(err.msg, strchr(cases[i].word, '=') + 1));
	}
	kvfs_pool_destroy(pool);
}
END_TEST

START_TEST(the_module)
{
	struct kvfs_config config;
	struct kvfs_tree *tree;
	const char *reason;

	ck_assert_int_eq(make(NULL, &tree), 0);
	ck_assert_int_eq(kvfs_tree_kmod(tree, &reason)->fd, -1);
	ck_assert_ptr_nonnull(strstr(reason, "module=no"));
	kvfs_tree_destroy(tree);

	kvfs_config_init(&config);
	config.pool = pool;
	config.device = "/nonexistent/kview";
	ck_assert_int_eq(kvfs_tree_create(&config, &tree, &err), 0);
	ck_assert_int_eq(kvfs_tree_kmod(tree, &reason)->fd, -1);
	ck_assert_msg(strstr(reason, "/nonexistent/kview") != NULL, "%s", reason);
	kvfs_tree_destroy(tree);
	kvfs_pool_destroy(pool);
}
END_TEST

START_TEST(files_of_a_front_end)
{
	struct kvfs_tree *tree;
	const char *reason;

	ck_assert_int_eq(make(NULL, &tree), 0);
	ck_assert_int_eq(kvfs_tree_add(tree, "README", kvfs_text_create("README", 2, 1, strdup("text"), 4)), 0);
	ck_assert(has(tree, "README", &reason));
	ck_assert_int_eq(kvfs_tree_add(tree, "status", NULL), -ENOMEM);
	ck_assert(!has(tree, "status", &reason) && !reason);
	kvfs_tree_destroy(tree);
	kvfs_pool_destroy(pool);
}
END_TEST

UNIT_MAIN("tree", each_directory_is_there_or_missing, what_the_user_names_must_be_there, the_module,
	  files_of_a_front_end)
