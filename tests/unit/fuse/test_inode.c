// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/inode.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"

static int nr_destroyed;

static void destroy(struct kvfs_node *node)
{
	nr_destroyed++;
	free(node);
}

static const struct kvfs_node_ops ops = { .kind = KVFS_NODE_FILE, .destroy = destroy };

static struct kvfs_node *new_node(uint64_t ino)
{
	struct kvfs_node *node = calloc(1, sizeof(*node));

	ck_assert_ptr_nonnull(node);
	kvfs_node_init(node, &ops, "node", ino, KVFS_INO_ROOT);
	return node;
}

static struct kvfs_inodes *new_table(void)
{
	struct kvfs_node *root = new_node(KVFS_INO_ROOT);
	struct kvfs_inodes *inodes;

	nr_destroyed = 0;
	ck_assert_int_eq(kvfs_inodes_create(root, &inodes), 0);
	kvfs_node_put(root);
	return inodes;
}

/* One lookup of a new node; only the table holds it then. */
static void look_up(struct kvfs_inodes *inodes, uint64_t ino)
{
	struct kvfs_node *node = kvfs_inodes_enter(inodes, new_node(ino));

	ck_assert_ptr_nonnull(node);
	ck_assert_uint_eq(node->ino, ino);
	kvfs_node_put(node);
}

static bool knows(struct kvfs_inodes *inodes, uint64_t ino)
{
	struct kvfs_node *node = kvfs_inodes_get(inodes, ino);

	kvfs_node_put(node);
	return node;
}

START_TEST(the_root_stays)
{
	struct kvfs_inodes *inodes = new_table();

	ck_assert(knows(inodes, KVFS_INO_ROOT));
	kvfs_inodes_forget(inodes, KVFS_INO_ROOT, UINT64_MAX);
	ck_assert(knows(inodes, KVFS_INO_ROOT));
	ck_assert_int_eq(nr_destroyed, 0);
	kvfs_inodes_destroy(inodes);
	ck_assert_int_eq(nr_destroyed, 1);
	kvfs_inodes_destroy(NULL);
}
END_TEST

START_TEST(lookups_are_counted)
{
	struct kvfs_inodes *inodes = new_table();

	ck_assert(!knows(inodes, 7));
	look_up(inodes, 7);
	look_up(inodes, 7);
	look_up(inodes, 7);
	/* The second and the third node were not kept: there is one for each ino. */
	ck_assert_int_eq(nr_destroyed, 2);
	ck_assert_uint_eq(kvfs_inodes_count(inodes), 2);
	ck_assert(!kvfs_inodes_forget(inodes, 7, 2));
	ck_assert(knows(inodes, 7));
	ck_assert(kvfs_inodes_forget(inodes, 7, 1));
	ck_assert(!knows(inodes, 7));
	ck_assert_int_eq(nr_destroyed, 3);
	/* The number can come back. */
	look_up(inodes, 7);
	ck_assert(knows(inodes, 7));
	kvfs_inodes_destroy(inodes);
}
END_TEST

START_TEST(a_node_in_use_outlives_its_number)
{
	struct kvfs_inodes *inodes = new_table();
	struct kvfs_node *node = kvfs_inodes_enter(inodes, new_node(7));

	kvfs_inodes_forget(inodes, 7, 1);
	ck_assert(!knows(inodes, 7));
	ck_assert_int_eq(nr_destroyed, 0);
	ck_assert_uint_eq(node->ino, 7);
	kvfs_node_put(node);
	ck_assert_int_eq(nr_destroyed, 1);
	kvfs_inodes_destroy(inodes);
}
END_TEST

START_TEST(forgetting_too_much_is_harmless)
{
	struct kvfs_inodes *inodes = new_table();

	kvfs_inodes_forget(inodes, 99, 1);
	look_up(inodes, 7);
	kvfs_inodes_forget(inodes, 7, UINT64_MAX);
	ck_assert(!knows(inodes, 7));
	kvfs_inodes_forget(inodes, 7, 1);
	ck_assert_uint_eq(kvfs_inodes_count(inodes), 1);
	kvfs_inodes_destroy(inodes);
}
END_TEST

/* Numbers as views have them: close together, and in several providers. */
static uint64_t nth(unsigned int i)
{
	return KVFS_INO(i % 3, 0x1000 + 16 * i);
}

START_TEST(many_nodes)
{
	struct kvfs_inodes *inodes = new_table();
	const unsigned int n = 10000;

	for (unsigned int i = 0; i < n; i++)
		look_up(inodes, nth(i));
	ck_assert_uint_eq(kvfs_inodes_count(inodes), n + 1);
	for (unsigned int i = 0; i < n; i++)
		ck_assert(knows(inodes, nth(i)));
	ck_assert(!knows(inodes, nth(n)));
	for (unsigned int i = 0; i < n; i += 2)
		kvfs_inodes_forget(inodes, nth(i), 1);
	for (unsigned int i = 0; i < n; i++)
		ck_assert_int_eq(knows(inodes, nth(i)), i % 2);
	for (unsigned int i = 1; i < n; i += 2)
		kvfs_inodes_forget(inodes, nth(i), 1);
	ck_assert_uint_eq(kvfs_inodes_count(inodes), 1);
	ck_assert_int_eq(nr_destroyed, (int)n);
	kvfs_inodes_destroy(inodes);
}
END_TEST

UNIT_MAIN("inode", the_root_stays, lookups_are_counted, a_node_in_use_outlives_its_number,
	  forgetting_too_much_is_harmless, many_nodes)
