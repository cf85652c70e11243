// SPDX-License-Identifier: GPL-2.0-only
/*
 * backing.c with a kernel that is played here: FUSE_DEV_IOC_BACKING_OPEN and _CLOSE count ids.
 * Where libfuse has no passthrough, only falling back can be tried.
 */
#include "fuse/backing.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "failalloc.h"
#include "unit.h"

#define FUSE_FD 4711

static int next_id = 1;
static int nr_ids;		/* open now */
static int open_errno;		/* what BACKING_OPEN fails with */

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	int32_t *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	ck_assert_int_eq(fd, FUSE_FD);
	ck_assert_int_eq(_IOC_TYPE(request), 229);
	if (_IOC_NR(request) == 1) {
		/* fd, flags, padding */
		ck_assert_int_ge(arg[0], 0);
		ck_assert_int_eq(arg[1] | arg[2] | arg[3], 0);
		if (open_errno) {
			errno = open_errno;
			return -1;
		}
		nr_ids++;
		return next_id++;
	}
	ck_assert_int_eq(_IOC_NR(request), 2);
	nr_ids--;
	return 0;
}

/* A view that can be backed, unless told otherwise. */
static int view_errno;
static int passing_errno;	/* one that the view met, and made nothing of */
static int backing_errno;

static int can_back(struct kvfs_node *file, enum kvfs_mode *mode, struct kvfs_err *err)
{
	*mode = KVFS_MODE_DIRECT;
	if (passing_errno)
		kvfs_err_set(err, passing_errno, "not now");
	return view_errno ? kvfs_err_set(err, view_errno, "the view's own reason") : 0;
}

static int backing(struct kvfs_node *file, struct kvfs_err *err)
{
	return backing_errno ? kvfs_err_set(err, backing_errno, "no view") : unit_file("x", 1);
}

static void destroy(struct kvfs_node *node)
{
}

static const struct kvfs_file_ops backed_file = { .can_back = can_back, .backing = backing };
static const struct kvfs_file_ops copied_file = { .no_backing = "a text" };
static const struct kvfs_node_ops backed_ops = {
	.kind = KVFS_NODE_FILE,
	.destroy = destroy,
	.file = &backed_file,
};
static const struct kvfs_node_ops copied_ops = {
	.kind = KVFS_NODE_FILE,
	.destroy = destroy,
	.file = &copied_file,
};

static struct kvfs_backing *b;
static struct kvfs_node node;
static struct fuse_file_info fi;

/* A mount whose kernel has these capabilities. */
static void set_up(uint64_t capable)
{
	struct fuse_conn_info conn = { .capable = capable, .want = FUSE_CAP_WRITEBACK_CACHE };

#ifdef HAVE_FUSE_FEATURE_FLAGS
	conn.capable_ext = capable;
	conn.want_ext = FUSE_CAP_WRITEBACK_CACHE;
#endif
	ck_assert_int_eq(kvfs_backing_create(&b), 0);
	kvfs_backing_negotiate(b, &conn);
#ifdef HAVE_FUSE_FEATURE_FLAGS
	ck_assert_uint_eq(conn.want_ext & FUSE_CAP_WRITEBACK_CACHE, 0);
#else
	ck_assert_uint_eq(conn.want & FUSE_CAP_WRITEBACK_CACHE, 0);
#endif
	kvfs_backing_probe(b, FUSE_FD);
	ck_assert_int_eq(nr_ids, 0);
	kvfs_node_init(&node, &backed_ops, "node", 5, 1);
}

static void tear_down(void)
{
	kvfs_node_put(&node);
	kvfs_backing_destroy(b);
	ck_assert_int_eq(nr_ids, 0);
}

static bool open_it(void)
{
	bool lost;

	memset(&fi, 0, sizeof(fi));
	ck_assert_int_eq(kvfs_backing_open(b, &node, &fi, &lost), 0);
	return lost;
}

static void assert_plan(enum kvfs_mode mode, const char *reason, unsigned int opens)
{
	enum kvfs_mode got;
	struct kvfs_err err;
	unsigned int nr;

	kvfs_backing_plan(b, &node, &got, &err, &nr);
	ck_assert_str_eq(kvfs_mode_name(got), kvfs_mode_name(mode));
	ck_assert_uint_eq(nr, opens);
	if (reason)
		ck_assert_msg(strstr(err.msg, reason) != NULL, "%s", err.msg);
	else
		ck_assert_int_eq(err.errnum, 0);
}

START_TEST(a_kernel_without_passthrough)
{
	const char *reason;

	set_up(0);
	ck_assert(!kvfs_backing_passthrough(b, &reason));
	ck_assert_ptr_nonnull(strstr(reason, "passthrough"));
	ck_assert(!kvfs_backing_shared_mmap(b));
	assert_plan(KVFS_MODE_COPY, "passthrough", 0);
	ck_assert(!open_it());
	ck_assert(fi.direct_io && fi.noflush && !fi.keep_cache);
	assert_plan(KVFS_MODE_COPY, "passthrough", 1);
	kvfs_backing_release(b, &node);
	/* What the view says comes first: its user can do something about it. */
	view_errno = EPERM;
	assert_plan(KVFS_MODE_COPY, "the view's own reason", 0);
	view_errno = 0;
	node.ops = &copied_ops;
	assert_plan(KVFS_MODE_COPY, "a text", 0);
	node.ops = &backed_ops;
	tear_down();
	kvfs_backing_destroy(NULL);
}
END_TEST

START_TEST(out_of_memory)
{
	bool lost;
	int ret;

	failalloc_try_all(ret, {
		ret = kvfs_backing_create(&b);
		if (ret == 0)
			kvfs_backing_destroy(b);
	});
	set_up(0);
	failalloc_try_all(ret, ret = kvfs_backing_open(b, &node, &fi, &lost));
	kvfs_backing_release(b, &node);
	tear_down();
}
END_TEST

#ifdef HAVE_FUSE_BACKING_ID
static const uint64_t all = FUSE_CAP_PASSTHROUGH | FUSE_CAP_DIRECT_IO_ALLOW_MMAP;

START_TEST(one_id_for_all_opens)
{
	const char *reason;
	int id;

	set_up(all);
	ck_assert(kvfs_backing_passthrough(b, &reason));
	ck_assert(kvfs_backing_shared_mmap(b));
	assert_plan(KVFS_MODE_DIRECT, NULL, 0);
	passing_errno = EBUSY;
	assert_plan(KVFS_MODE_DIRECT, NULL, 0);
	passing_errno = 0;
	ck_assert(!open_it());
	id = fi.backing_id;
	ck_assert_int_gt(id, 0);
	ck_assert(!fi.direct_io && !fi.keep_cache && fi.noflush);
	open_it();
	ck_assert_int_eq(fi.backing_id, id);
	ck_assert_int_eq(nr_ids, 1);
	assert_plan(KVFS_MODE_DIRECT, NULL, 2);
	kvfs_backing_release(b, &node);
	ck_assert_int_eq(nr_ids, 1);
	kvfs_backing_release(b, &node);
	ck_assert_int_eq(nr_ids, 0);
	/* The next first open gets another one. */
	open_it();
	ck_assert_int_ne(fi.backing_id, id);
	kvfs_backing_release(b, &node);
	tear_down();
}
END_TEST

START_TEST(the_first_open_decides)
{
	set_up(all);
	view_errno = EPERM;
	ck_assert(!open_it());
	ck_assert_int_eq(fi.backing_id, 0);
	view_errno = 0;
	/* It could be direct now, but not beside a copy. */
	ck_assert(!open_it());
	ck_assert(fi.direct_io && fi.backing_id == 0);
	assert_plan(KVFS_MODE_COPY, "open since", 2);
	kvfs_backing_release(b, &node);
	kvfs_backing_release(b, &node);
	open_it();
	ck_assert_int_gt(fi.backing_id, 0);
	/* And the other way round. */
	view_errno = EPERM;
	open_it();
	ck_assert_int_gt(fi.backing_id, 0);
	assert_plan(KVFS_MODE_DIRECT, NULL, 2);
	kvfs_backing_release(b, &node);
	kvfs_backing_release(b, &node);
	view_errno = 0;
	tear_down();
}
END_TEST

START_TEST(a_failure_is_reported_once)
{
	set_up(all);
	backing_errno = ENOSPC;
	ck_assert(open_it());
	ck_assert_int_eq(fi.backing_id, 0);
	assert_plan(KVFS_MODE_COPY, "no view", 1);
	kvfs_backing_release(b, &node);
	assert_plan(KVFS_MODE_COPY, "no view", 0);
	ck_assert(!open_it());
	kvfs_backing_release(b, &node);
	backing_errno = 0;
	open_errno = ELOOP;
	open_it();
	assert_plan(KVFS_MODE_COPY, "FUSE did not take", 1);
	kvfs_backing_release(b, &node);
	/* It is tried again each time. */
	open_errno = 0;
	open_it();
	assert_plan(KVFS_MODE_DIRECT, NULL, 1);
	kvfs_backing_release(b, &node);
	assert_plan(KVFS_MODE_DIRECT, NULL, 0);
	tear_down();
}
END_TEST

START_TEST(a_rehearsal_makes_the_plan_true)
{
	set_up(all);
	backing_errno = ENOSPC;
	assert_plan(KVFS_MODE_DIRECT, NULL, 0);
	kvfs_backing_rehearse(b, &node);
	assert_plan(KVFS_MODE_COPY, "no view", 0);
	backing_errno = 0;
	kvfs_backing_rehearse(b, &node);
	assert_plan(KVFS_MODE_DIRECT, NULL, 0);
	tear_down();
}
END_TEST

START_TEST(a_failure_is_forgotten_with_the_inode)
{
	set_up(all);
	backing_errno = ENOSPC;
	open_it();
	kvfs_backing_forget(b, node.ino);
	assert_plan(KVFS_MODE_COPY, "no view", 1);
	kvfs_backing_release(b, &node);
	assert_plan(KVFS_MODE_COPY, "no view", 0);
	kvfs_backing_forget(b, node.ino);
	assert_plan(KVFS_MODE_DIRECT, NULL, 0);
	/* There is nothing to forget now. */
	kvfs_backing_forget(b, node.ino);
	/* What status walks is remembered. */
	kvfs_backing_rehearse(b, &node);
	kvfs_backing_forget(b, node.ino);
	assert_plan(KVFS_MODE_COPY, "no view", 0);
	backing_errno = 0;
	tear_down();
}
END_TEST

START_TEST(inodes_of_one_bucket)
{
	enum { NR = 1000 };	/* more than there are buckets */
	bool lost;

	set_up(all);
	for (uint64_t ino = 5; ino < 5 + NR; ino++) {
		node.ino = ino;
		ck_assert_int_eq(kvfs_backing_open(b, &node, &fi, &lost), 0);
	}
	ck_assert_int_eq(nr_ids, NR);
	for (uint64_t ino = 5; ino < 5 + NR; ino++) {
		node.ino = ino;
		assert_plan(KVFS_MODE_DIRECT, NULL, 1);
		kvfs_backing_release(b, &node);
		assert_plan(KVFS_MODE_DIRECT, NULL, 0);
	}
	ck_assert_int_eq(nr_ids, 0);
	tear_down();
}
END_TEST

START_TEST(a_probe_that_fails)
{
	const char *reason;

	open_errno = EPERM;
	set_up(all);
	ck_assert(!kvfs_backing_passthrough(b, &reason));
	ck_assert_ptr_nonnull(strstr(reason, "CAP_SYS_ADMIN"));
	open_errno = 0;
	assert_plan(KVFS_MODE_COPY, "CAP_SYS_ADMIN", 0);
	tear_down();
}
END_TEST

UNIT_MAIN("backing", a_kernel_without_passthrough, out_of_memory, one_id_for_all_opens,
	  the_first_open_decides, a_failure_is_reported_once, a_rehearsal_makes_the_plan_true,
	  a_failure_is_forgotten_with_the_inode, inodes_of_one_bucket, a_probe_that_fails)
#else
UNIT_MAIN("backing", a_kernel_without_passthrough, out_of_memory)
#endif
