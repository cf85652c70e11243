// SPDX-License-Identifier: GPL-2.0-only
#include "node/node.h"

#include <errno.h>
#include <unistd.h>

#include "unit.h"

static void destroy(struct kvfs_node *node)
{
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
	kvfs_node_put(NULL);
}
END_TEST

START_TEST(entries)
{
	struct kvfs_node file, dir, *found;
	const struct kvfs_entry v[] = {
		{ .name = "file", .node = &file },
		{ .name = "lost", .reason = "why" },
		{ .name = "dir", .node = &dir },
		{ .name = "gone", .reason = "because" },
	};
	const char *name, *reason;
	struct kvfs_dirent entry = { .next = 0 };

	kvfs_node_init(&file, &plain, "file", 5, 1);
	kvfs_node_init(&dir, &directory, "dir", 6, 1);
	ck_assert_int_eq(kvfs_entries_lookup(v, 4, "dir", &found), 0);
	ck_assert_ptr_eq(found, &dir);
	ck_assert_uint_eq(atomic_load(&dir.refs), 2);
	ck_assert_int_eq(kvfs_entries_lookup(v, 4, "lost", &found), -ENOENT);
	ck_assert_int_eq(kvfs_entries_lookup(v, 4, "fil", &found), -ENOENT);

	ck_assert_int_eq(kvfs_entries_list(v, 4, entry.next, &entry), 1);
	ck_assert_str_eq(entry.name, "file");
	ck_assert(entry.ino == 5 && entry.kind == KVFS_NODE_FILE);
	ck_assert_int_eq(kvfs_entries_list(v, 4, entry.next, &entry), 1);
	ck_assert_str_eq(entry.name, "dir");
	ck_assert(entry.ino == 6 && entry.kind == KVFS_NODE_DIR);
	ck_assert_int_eq(kvfs_entries_list(v, 4, entry.next, &entry), 0);
	ck_assert_int_eq(kvfs_entries_list(v, 4, UINT64_MAX, &entry), 0);

	ck_assert(kvfs_entries_missing(v, 4, 0, &name, &reason));
	ck_assert_str_eq(name, "lost");
	ck_assert(kvfs_entries_missing(v, 4, 1, &name, &reason));
	ck_assert_str_eq(reason, "because");
	ck_assert(!kvfs_entries_missing(v, 4, 2, &name, &reason));
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

UNIT_MAIN("view", what_is_left_out_has_a_meaning, entries, numbers)
