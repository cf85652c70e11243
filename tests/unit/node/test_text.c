// SPDX-License-Identifier: GPL-2.0-only
#include "node/text.h"

#include <errno.h>
#include <unistd.h>

#include "failalloc.h"
#include "unit.h"

static int nr_rendered;

static void render(void *arg, FILE *out)
{
	fprintf(out, "%s %d\n", (const char *)arg, ++nr_rendered);
}

static void assert_read(struct kvfs_node *node, void *handle, uint64_t off, size_t len, const char *want)
{
	char buf[64];
	ssize_t n = node->ops->file->read(node, handle, buf, len, off);

	ck_assert_int_eq(n, (ssize_t)strlen(want));
	ck_assert_mem_eq(buf, want, (size_t)n);
}

START_TEST(a_constant_text)
{
	struct kvfs_node *node = kvfs_text_create("text", 5, 1, strdup("abcdef"), 6);
	struct kvfs_attr attr;
	uint64_t off;

	ck_assert(node->ino == 5 && node->parent_ino == 1 && node->ops->file->unchanging);
	ck_assert_int_eq(kvfs_node_getattr(node, &attr), 0);
	ck_assert(attr.size == 6 && attr.data_len == 6);
	assert_read(node, NULL, 0, 64, "abcdef");
	assert_read(node, NULL, 2, 3, "cde");
	assert_read(node, NULL, 5, 3, "f");
	assert_read(node, NULL, 6, 3, "");
	assert_read(node, NULL, UINT64_MAX, 3, "");
	ck_assert_int_eq(kvfs_node_seek(node, NULL, 2, SEEK_HOLE, &off), 0);
	ck_assert_uint_eq(off, 6);
	kvfs_node_put(node);
}
END_TEST

START_TEST(a_rendered_text)
{
	struct kvfs_node *node = kvfs_text_create_rendered("text", 5, 1, render, "moment");
	void *first, *second;
	struct kvfs_attr attr;
	uint64_t off;

	nr_rendered = 0;
	ck_assert_int_eq(kvfs_node_getattr(node, &attr), 0);
	ck_assert(attr.size == 0 && attr.data_len == 0);
	ck_assert_int_eq(nr_rendered, 0);
	/* Each opening has the text of its own moment. */
	ck_assert_int_eq(kvfs_node_open(node, &first), 0);
	ck_assert_int_eq(kvfs_node_open(node, &second), 0);
	assert_read(node, first, 0, 64, "moment 1\n");
	assert_read(node, second, 0, 64, "moment 2\n");
	assert_read(node, first, 7, 1, "1");
	assert_read(node, first, 9, 1, "");
	ck_assert_int_eq(kvfs_node_seek(node, first, 3, SEEK_DATA, &off), 0);
	ck_assert_uint_eq(off, 3);
	ck_assert_int_eq(kvfs_node_seek(node, first, 3, SEEK_HOLE, &off), 0);
	ck_assert_uint_eq(off, 9);
	ck_assert_int_eq(kvfs_node_seek(node, first, 9, SEEK_DATA, &off), -ENXIO);
	kvfs_node_release(node, first);
	kvfs_node_release(node, second);
	ck_assert_int_eq(nr_rendered, 2);
	kvfs_node_put(node);
}
END_TEST

START_TEST(out_of_memory)
{
	int ret;

	failalloc_try_all(ret, {
		char *text = strdup("abc");
		struct kvfs_node *node = text ? kvfs_text_create("text", 5, 1, text, 3) : NULL;

		ret = node ? 0 : -ENOMEM;
		kvfs_node_put(node);
	});
	failalloc_try_all(ret, {
		struct kvfs_node *node = kvfs_text_create_rendered("text", 5, 1, render, "moment");
		void *handle;

		ret = node ? kvfs_node_open(node, &handle) : -ENOMEM;
		if (ret == 0)
			kvfs_node_release(node, handle);
		kvfs_node_put(node);
	});
}
END_TEST

UNIT_MAIN("text", a_constant_text, a_rendered_text, out_of_memory)
