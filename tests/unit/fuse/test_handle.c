// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/handle.h"

#include <errno.h>
#include <fuse_lowlevel.h>

#include "failalloc.h"
#include "fuse/backing.h"
#include "fuse/log.h"
#include "fuse/ops_blocking.h"
#include "unit.h"

/* In place of backing.c, log.c and ops_blocking.c: they count. */

static int nr_backed, nr_polled, nr_logged, backing_ret;
static bool loses;

int kvfs_backing_open(struct kvfs_backing *backing, struct kvfs_node *file, struct fuse_file_info *fi, bool *lost)
{
	*lost = loses;
	nr_backed += backing_ret == 0;
	return backing_ret;
}

void kvfs_backing_release(struct kvfs_backing *backing, struct kvfs_node *file)
{
	nr_backed--;
}

enum kvfs_mode kvfs_backing_mode(struct kvfs_backing *backing, const struct kvfs_node *file)
{
	return KVFS_MODE_SPLIT;
}

void kvfs_backing_plan(struct kvfs_backing *backing, struct kvfs_node *file, enum kvfs_mode *mode,
		       struct kvfs_err *reason, unsigned int *opens)
{
	strcpy(reason->msg, "why");
}

void kvfs_blocking_release(struct kvfs_blocking *blocking, struct kvfs_handle *handle)
{
	nr_polled--;
}

void kvfs_log(enum kvfs_log_level level, const char *fmt, ...)
{
	nr_logged++;
}

/* Nodes that count what is open. */

static int nr_views, view_ret;

static int view_open(struct kvfs_node *file, void **handle)
{
	*handle = &nr_views;
	nr_views += view_ret == 0;
	return view_ret;
}

static void view_release(struct kvfs_node *file, void *handle)
{
	ck_assert_ptr_eq(handle, &nr_views);
	nr_views--;
}

static bool is_stream(struct kvfs_node *file, void *handle)
{
	return true;
}

static void destroy(struct kvfs_node *node)
{
}

static const struct kvfs_file_ops plain = { .open = view_open, .release = view_release };
static const struct kvfs_blocking_ops blocking_ops = { .is_stream = is_stream };
static const struct kvfs_file_ops ring = { .open = view_open, .release = view_release, .blocking = &blocking_ops };
static const struct kvfs_dir_ops listed = { .open = view_open, .release = view_release };
static const struct kvfs_dir_ops simple;

#define NODE_OPS(kind_, ...) { .kind = kind_, .destroy = destroy, __VA_ARGS__ }
static const struct kvfs_node_ops plain_ops = NODE_OPS(KVFS_NODE_FILE, .file = &plain);
static const struct kvfs_node_ops ring_ops = NODE_OPS(KVFS_NODE_FILE, .file = &ring);
static const struct kvfs_node_ops listed_ops = NODE_OPS(KVFS_NODE_DIR, .dir = &listed);
static const struct kvfs_node_ops simple_ops = NODE_OPS(KVFS_NODE_DIR, .dir = &simple);

static struct kvfs_ops server;
static struct kvfs_node node;

static void set_up(const struct kvfs_node_ops *ops)
{
	server.blocking = (struct kvfs_blocking *)&server;
	kvfs_handles_init(&server.handles);
	kvfs_node_init(&node, ops, "node", 5, 1);
	nr_backed = nr_polled = nr_logged = nr_views = backing_ret = view_ret = 0;
	loses = false;
}

static void assert_nothing_is_open(void)
{
	ck_assert(kvfs_list_is_empty(&server.handles.open));
	ck_assert_int_eq(nr_backed, 0);
	ck_assert_int_eq(nr_views, 0);
	ck_assert_uint_eq(atomic_load(&node.refs), 1);
}

static struct kvfs_handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct kvfs_handle *)(uintptr_t)fi->fh;
}

START_TEST(a_file)
{
	struct fuse_file_info fi = { .flags = O_RDONLY | O_NONBLOCK };

	set_up(&plain_ops);
	ck_assert_int_eq(kvfs_handle_open_file(&server, &node, &fi), 0);
	ck_assert(handle_of(&fi)->node == &node && handle_of(&fi)->view == &nr_views);
	ck_assert(handle_of(&fi)->mode == KVFS_MODE_SPLIT && handle_of(&fi)->nonblock && !fi.nonseekable);
	ck_assert(nr_backed == 1 && nr_views == 1 && atomic_load(&node.refs) == 2);
	kvfs_handle_close(&server, handle_of(&fi));
	assert_nothing_is_open();
	ck_assert(nr_polled == 0 && nr_logged == 0);
}
END_TEST

START_TEST(a_stream)
{
	struct fuse_file_info fi = { .flags = O_RDONLY };

	set_up(&ring_ops);
	ck_assert_int_eq(kvfs_handle_open_file(&server, &node, &fi), 0);
	ck_assert(fi.nonseekable && !handle_of(&fi)->nonblock);
	kvfs_handle_close(&server, handle_of(&fi));
	ck_assert_int_eq(nr_polled, -1);
	assert_nothing_is_open();
}
END_TEST

START_TEST(a_lost_backing_file_is_logged)
{
	struct fuse_file_info fi = { .flags = O_RDONLY };

	set_up(&plain_ops);
	loses = true;
	ck_assert_int_eq(kvfs_handle_open_file(&server, &node, &fi), 0);
	ck_assert_int_eq(nr_logged, 1);
	kvfs_handle_close(&server, handle_of(&fi));
}
END_TEST

START_TEST(directories)
{
	struct fuse_file_info fi = { .flags = O_RDONLY | O_DIRECTORY };

	set_up(&listed_ops);
	ck_assert_int_eq(kvfs_handle_open_dir(&server, &node, &fi), 0);
	ck_assert(nr_views == 1 && nr_backed == 0);
	kvfs_handle_close(&server, handle_of(&fi));
	assert_nothing_is_open();
	view_ret = -EMFILE;
	ck_assert_int_eq(kvfs_handle_open_dir(&server, &node, &fi), -EMFILE);
	assert_nothing_is_open();

	set_up(&simple_ops);
	ck_assert_int_eq(kvfs_handle_open_dir(&server, &node, &fi), 0);
	ck_assert_ptr_null(handle_of(&fi)->view);
	kvfs_handle_close(&server, handle_of(&fi));
	assert_nothing_is_open();
}
END_TEST

START_TEST(refusals_leave_nothing_open)
{
	static const int flags[] = { O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC };
	struct fuse_file_info fi = { .flags = O_RDONLY };

	set_up(&plain_ops);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct fuse_file_info for_writing = { .flags = flags[i] };

		ck_assert_int_eq(kvfs_handle_open_file(&server, &node, &for_writing), -EROFS);
	}
	ck_assert_int_eq(kvfs_handle_open_dir(&server, &node, &fi), -ENOTDIR);
	view_ret = -EPERM;
	ck_assert_int_eq(kvfs_handle_open_file(&server, &node, &fi), -EPERM);
	view_ret = 0;
	backing_ret = -ENOMEM;
	ck_assert_int_eq(kvfs_handle_open_file(&server, &node, &fi), -ENOMEM);
	assert_nothing_is_open();
	node.ops = &simple_ops;
	ck_assert_int_eq(kvfs_handle_open_file(&server, &node, &fi), -EISDIR);
	assert_nothing_is_open();
}
END_TEST

START_TEST(all_that_are_open_can_be_closed)
{
	struct fuse_file_info fi[10];

	set_up(&plain_ops);
	for (size_t i = 0; i < 10; i++) {
		fi[i] = (struct fuse_file_info){ .flags = O_RDONLY };
		ck_assert_int_eq(kvfs_handle_open_file(&server, &node, &fi[i]), 0);
	}
	kvfs_handle_close(&server, handle_of(&fi[4]));
	ck_assert_int_eq(nr_views, 9);
	kvfs_handles_close_all(&server);
	assert_nothing_is_open();
}
END_TEST

START_TEST(out_of_memory)
{
	struct fuse_file_info fi = { .flags = O_RDONLY };
	int ret;

	set_up(&plain_ops);
	failalloc_try_all(ret, ret = kvfs_handle_open_file(&server, &node, &fi));
	kvfs_handles_close_all(&server);
	assert_nothing_is_open();
	set_up(&simple_ops);
	failalloc_try_all(ret, ret = kvfs_handle_open_dir(&server, &node, &fi));
	kvfs_handles_close_all(&server);
	assert_nothing_is_open();
}
END_TEST

UNIT_MAIN("handle", a_file, a_stream, a_lost_backing_file_is_logged, directories, refusals_leave_nothing_open,
	  all_that_are_open_can_be_closed, out_of_memory)
