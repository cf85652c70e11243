// SPDX-License-Identifier: GPL-2.0-only
#include "node/node.h"

#include <errno.h>
#include <unistd.h>

#include "unit.h"

static int nr_destroyed;

static void destroy(struct kvfs_node *node)
{
	nr_destroyed++;
}

static int getattr(struct kvfs_node *node, struct kvfs_attr *out)
{
	out->size = 100;
	out->data_len = 40;
	return 0;
}

static const struct kvfs_file_ops plain_file;
static const struct kvfs_node_ops plain = {
	.kind = KVFS_NODE_FILE,
	.destroy = destroy,
	.getattr = getattr,
	.file = &plain_file,
};
static const struct kvfs_node_ops directory = { .kind = KVFS_NODE_DIR, .destroy = destroy };

START_TEST(what_is_left_out_has_a_meaning)
{
	struct kvfs_node node;
	struct kvfs_attr attr;
	struct kvfs_desc desc;
	void *handle = &node;
	uint64_t off;

	kvfs_node_init(&node, &plain, "plain", 5, 1);
	ck_assert_int_eq(kvfs_node_open(&node, &handle), 0);
	ck_assert_ptr_null(handle);
	ck_assert_int_eq(kvfs_node_seek(&node, NULL, 7, SEEK_DATA, &off), 0);
	ck_assert_uint_eq(off, 7);
	ck_assert_int_eq(kvfs_node_seek(&node, NULL, 7, SEEK_HOLE, &off), 0);
	ck_assert_uint_eq(off, 100);
	ck_assert_int_eq(kvfs_node_seek(&node, NULL, 100, SEEK_HOLE, &off), -ENXIO);
	ck_assert_int_eq(kvfs_node_seek(&node, NULL, 0, SEEK_SET, &off), -EINVAL);
	kvfs_node_release(&node, handle);
	kvfs_node_describe(&node, KVFS_MODE_COPY, &desc);
	ck_assert(!desc.has_vaddr && !desc.has_paddr && desc.source[0] == '\0');
	ck_assert_int_eq(kvfs_node_getattr(&node, &attr), 0);
	ck_assert_uint_eq(attr.size, 100);

	kvfs_node_init(&node, &directory, "directory", 5, 1);
	ck_assert_int_eq(kvfs_node_getattr(&node, &attr), 0);
	ck_assert_uint_eq(attr.size + attr.data_len, 0);
}
END_TEST

START_TEST(references)
{
	struct kvfs_node node;

	nr_destroyed = 0;
	kvfs_node_init(&node, &plain, "plain", 5, 1);
	ck_assert_ptr_eq(kvfs_node_get(&node), &node);
	kvfs_node_put(&node);
	ck_assert_int_eq(nr_destroyed, 0);
	kvfs_node_put(&node);
	ck_assert_int_eq(nr_destroyed, 1);
	kvfs_node_put(NULL);
}
END_TEST

START_TEST(names_of_modes)
{
	ck_assert_str_eq(kvfs_mode_name(KVFS_MODE_COPY), "copy");
	ck_assert_str_eq(kvfs_mode_name(KVFS_MODE_DIRECT), "direct");
	ck_assert_str_eq(kvfs_mode_name(KVFS_MODE_SPLIT), "split");
	ck_assert_str_eq(kvfs_mode_name(KVFS_MODE_CACHED), "cached");
}
END_TEST

START_TEST(numbers)
{
	ck_assert_uint_eq(KVFS_INO_ROOT, 1);
	ck_assert_uint_ne(KVFS_INO(KVFS_PROVIDER_INFO, 5), KVFS_INO(KVFS_PROVIDER_KCORE, 5));
	/* A number that is too large stays inside its provider. */
	ck_assert_uint_eq(KVFS_INO(KVFS_PROVIDER_KCORE, UINT64_MAX) >> 48, KVFS_PROVIDER_KCORE);
}
END_TEST

UNIT_MAIN("node", what_is_left_out_has_a_meaning, references, names_of_modes, numbers)
