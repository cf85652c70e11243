// SPDX-License-Identifier: GPL-2.0-only
/* A file of trace/ over a fake tracefs: its size, its modes, its reads, and what fails. */
#include "trace/file.h"

#include <errno.h>
#include <sys/mman.h>

#include "failalloc.h"
#include "fake_tracefs.h"
#include "unit.h"

static int fail_open, fail_mmap, ioctl_result;
static unsigned int nr_rings_opened, nr_opened, nr_ioctls;
static bool locked_down;

bool __wrap_kvfs_lockdown_is_confidential(void);

bool __wrap_kvfs_lockdown_is_confidential(void)
{
	return locked_down;
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off);
int __wrap_ioctl(int fd, unsigned long cmd, ...);

int __wrap_open64(const char *path, int flags, ...)
{
	if (fail_open) {
		errno = fail_open;
		return -1;
	}
	nr_opened++;
	nr_rings_opened += strstr(path, "trace_pipe_raw") != NULL;
	return __real_open64(path, flags);
}

void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	if (!fail_mmap || fd < 0)
		return __real_mmap64(addr, len, prot, flags, fd, off);
	errno = fail_mmap;
	return MAP_FAILED;
}

int __wrap_ioctl(int fd, unsigned long cmd, ...)
{
	nr_ioctls++;
	if (ioctl_result == 0)
		return 0;
	errno = ioctl_result;
	return -1;
}

struct under_test {
	struct fake fake;
	struct kvfs_trace_files *files;
	struct kvfs_node *node;
	char dir[128];
};

static void make(struct under_test *t, const char *release)
{
	fake_create(&t->fake, 2);
	t->files = kvfs_trace_files_create(t->fake.online, release);
	snprintf(t->dir, sizeof(t->dir), "%s/per_cpu/cpu1", t->fake.dir);
	ck_assert_int_eq(kvfs_trace_file_lookup(t->files, t->dir, 1, "trace/cpu1", 7, &t->node), 0);
}

static void end(struct under_test *t)
{
	kvfs_node_put(t->node);
	kvfs_trace_files_put(t->files);
	fake_remove(&t->fake);
}

static int64_t size_of(struct kvfs_node *node)
{
	struct kvfs_attr attr;
	int ret = kvfs_node_getattr(node, &attr);

	return ret < 0 ? ret : (int64_t)attr.size;
}

/* 0, or -errno with the reason in err. */
static int can_back(struct kvfs_node *node, struct kvfs_err *err)
{
	enum kvfs_mode mode;

	return node->ops->file->can_back(node, &mode, err);
}

static ssize_t read_at(struct kvfs_node *node, void *handle, bool fill, void *buf, size_t len, uint64_t off)
{
	const struct kvfs_request request = {
		.what = fill ? KVFS_REQUEST_FILL : KVFS_REQUEST_READ,
		.mode = KVFS_MODE_COPY,
		.nonblock = true,
	};

	return node->ops->file->blocking->read(node, handle, &request, buf, len, off);
}

START_TEST(one_node_a_ring)
{
	struct under_test t;
	struct kvfs_node *again, *other;
	struct kvfs_desc desc;
	char path[160];

	make(&t, "6.12");
	ck_assert_int_eq(kvfs_trace_file_lookup(t.files, t.dir, 1, "trace/cpu1", 7, &again), 0);
	ck_assert_ptr_eq(again, t.node);
	t.dir[strlen(t.dir) - 1] = '0';
	ck_assert_int_eq(kvfs_trace_file_lookup(t.files, t.dir, 0, "trace/cpu0", 7, &other), 0);
	ck_assert_ptr_ne(other, t.node);
	ck_assert_uint_ne(other->ino, t.node->ino);
	kvfs_node_describe(other, KVFS_MODE_SPLIT, &desc);
	snprintf(path, sizeof(path), "%s/trace_pipe_raw", t.dir);
	ck_assert_str_eq(desc.source, path);
	ck_assert_int_eq(kvfs_trace_file_lookup(t.files, "/nonexistent", 0, "", 7, &other), -ENOENT);
	kvfs_node_put(other);
	kvfs_node_put(again);
	end(&t);
}
END_TEST

START_TEST(looking_opens_no_ring)
{
	struct under_test t;

	make(&t, "6.12");
	ck_assert_int_eq(size_of(t.node), FAKE_LEN);
	ck_assert_int_eq(can_back(t.node, NULL), 0);
	ck_assert_uint_eq(nr_rings_opened, 0);
	ck_assert(t.node->ops->file->open_disturbs);
	end(&t);
}
END_TEST

/* Failures to look are not "size 0". */
START_TEST(failures_are_reported)
{
	static const int errors[] = { EMFILE, ENFILE, ENOMEM, EACCES, EINTR };
	struct under_test t;
	void *handle;
	int ret;

	make(&t, "6.12");
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct kvfs_err err = { 0 };

		fail_open = errors[i];
		ck_assert_int_eq(size_of(t.node), -errors[i]);
		ck_assert_int_eq(kvfs_node_open(t.node, &handle), -errors[i]);
		unit_assert_error(t.node->ops->file->backing(t.node, &err), errors[i], err, "trace_pipe_raw");
		fail_open = 0;
		ck_assert_int_eq(size_of(t.node), FAKE_LEN);
	}
	failalloc_try_all(ret, ret = (int)size_of(t.node));
	ck_assert_int_eq(ret, FAKE_LEN);
	/* What says nothing about the ring fails the open, and the next one is a fresh start. */
	fail_mmap = ENOMEM;
	ck_assert_int_eq(kvfs_node_open(t.node, &handle), -ENOMEM);
	fail_mmap = 0;
	ck_assert_int_eq(kvfs_node_open(t.node, &handle), 0);
	kvfs_node_release(t.node, handle);
	end(&t);
}
END_TEST

START_TEST(reads_are_a_copy)
{
	struct under_test t;
	uint8_t buf[FAKE_LEN + 1];
	void *handle;

	make(&t, "6.12");
	ck_assert_int_eq(kvfs_node_open(t.node, &handle), 0);
	ck_assert(!t.node->ops->file->blocking->is_stream(t.node, handle));
	ck_assert_int_eq(read_at(t.node, handle, false, buf, sizeof(buf), 0), FAKE_LEN);
	ck_assert_uint_eq(ring_commit(buf + FAKE_SUBBUF), 8);
	ck_assert_int_eq(read_at(t.node, handle, false, buf, 10, FAKE_LEN - 4), 4);
	ck_assert_int_eq(read_at(t.node, handle, false, buf, 10, FAKE_LEN), 0);
	/* In mode copy an image is what is mapped. */
	ck_assert_int_eq(read_at(t.node, handle, true, buf, FAKE_SUBBUF, FAKE_SUBBUF), FAKE_SUBBUF);
	ck_assert_uint_eq(ring_commit(buf), 8);
	kvfs_node_release(t.node, handle);
	end(&t);
}
END_TEST

START_TEST(the_size_while_it_is_open)
{
	struct under_test t;
	void *first, *second;

	make(&t, "6.12");
	/* What buffer_size_kb tells is old, as after a change of buffer_subbuf_size_kb alone. */
	fake_text("40\n", "%s/buffer_size_kb", t.dir);
	ck_assert_int_eq(size_of(t.node), 13 * FAKE_SUBBUF);
	ck_assert_int_eq(kvfs_node_open(t.node, &first), 0);
	ck_assert_int_eq(size_of(t.node), FAKE_LEN);
	ck_assert_int_eq(kvfs_node_open(t.node, &second), 0);
	ck_assert_int_eq(size_of(t.node), FAKE_LEN);
	/* It is not mapped, and is resized. */
	fake_text("20\n", "%s/buffer_size_kb", t.dir);
	ck_assert_int_eq(size_of(t.node), 8 * FAKE_SUBBUF);
	/* In mode copy the daemon has it mapped from now on, and it has the size of the mapping. */
	ck_assert_int_eq(read_at(t.node, first, true, (char[8]) { 0 }, 8, 0), 8);
	ck_assert_int_eq(size_of(t.node), FAKE_LEN);
	kvfs_node_release(t.node, first);
	ck_assert_int_eq(size_of(t.node), FAKE_LEN);
	kvfs_node_release(t.node, second);
	ck_assert_int_eq(size_of(t.node), 8 * FAKE_SUBBUF);
	end(&t);
}
END_TEST

START_TEST(a_ring_that_cannot_be_mapped)
{
	struct under_test t;
	struct kvfs_node *other;
	struct kvfs_err err = { 0 };
	char dir[128], buf[FAKE_LEN];
	void *handle;

	make(&t, "6.12");
	fail_mmap = ENODEV;
	ck_assert_int_eq(can_back(t.node, NULL), 0);
	ck_assert_int_eq(kvfs_node_open(t.node, &handle), 0);
	ck_assert(t.node->ops->file->blocking->is_stream(t.node, handle));
	unit_assert_error(can_back(t.node, &err), ENODEV, err, "Linux 6.10");
	ck_assert_int_eq(size_of(t.node), 0);
	ck_assert_int_eq(read_at(t.node, handle, true, buf, 8, 0), -ENODEV);
	/* Reads go on where the last one ended, whatever the offset. */
	ck_assert_int_eq(read_at(t.node, handle, false, buf, FAKE_LEN - 10, 0), FAKE_LEN - 10);
	ck_assert_int_eq(read_at(t.node, handle, false, buf, FAKE_LEN, 0), 10);
	kvfs_node_release(t.node, handle);
	/* That holds for the other rings of this kernel, too. */
	snprintf(dir, sizeof(dir), "%s/per_cpu/cpu0", t.fake.dir);
	ck_assert_int_eq(kvfs_trace_file_lookup(t.files, dir, 0, "trace/cpu0", 7, &other), 0);
	ck_assert_int_eq(can_back(other, NULL), -ENODEV);
	ck_assert_int_eq(size_of(other), 0);
	kvfs_node_put(other);
	end(&t);
}
END_TEST

START_TEST(an_old_kernel_that_can)
{
	struct under_test t;
	struct kvfs_err err = { 0 };
	void *handle;

	make(&t, "6.1.0-40-amd64");
	unit_assert_error(can_back(t.node, &err), ENODEV, err, "the first open shows it");
	ck_assert_int_eq(size_of(t.node), 0);
	ck_assert_int_eq(kvfs_node_open(t.node, &handle), 0);
	ck_assert_int_eq(can_back(t.node, &err), 0);
	ck_assert_int_eq(size_of(t.node), FAKE_LEN);
	kvfs_node_release(t.node, handle);
	ck_assert_int_eq(size_of(t.node), FAKE_LEN);
	end(&t);
}
END_TEST

START_TEST(a_ring_that_is_not_there_or_busy)
{
	struct under_test t;
	char buf[8];
	void *handle;

	make(&t, "6.12");
	fail_mmap = EINVAL;
	ck_assert_int_eq(kvfs_node_open(t.node, &handle), 0);
	ck_assert_int_eq(size_of(t.node), 0);
	ck_assert_int_eq(can_back(t.node, NULL), 0);
	ck_assert_int_eq(read_at(t.node, handle, false, buf, 8, 0), -ENODEV);
	kvfs_node_release(t.node, handle);
	fail_mmap = EBUSY;
	ck_assert_int_eq(kvfs_node_open(t.node, &handle), 0);
	ck_assert_int_eq(size_of(t.node), FAKE_LEN);
	ck_assert_int_eq(can_back(t.node, NULL), 0);
	ck_assert_int_eq(read_at(t.node, handle, false, buf, 8, 0), -EBUSY);
	ck_assert_int_eq(read_at(t.node, handle, true, buf, 8, 0), -EBUSY);
	kvfs_node_release(t.node, handle);
	end(&t);
}
END_TEST

/* The kernel logs each refusal, so looking opens nothing. */
START_TEST(under_lockdown)
{
	struct kvfs_err err = { 0 };
	struct under_test t;
	void *handle;

	make(&t, "6.12");
	ck_assert_int_eq(kvfs_node_open(t.node, &handle), 0);
	locked_down = true;
	nr_opened = 0;
	ck_assert_int_eq(size_of(t.node), FAKE_LEN);
	kvfs_node_release(t.node, handle);
	ck_assert_int_eq(size_of(t.node), -EPERM);
	unit_assert_error(can_back(t.node, &err), EPERM, err, "lockdown");
	ck_assert_uint_eq(nr_opened, 0);
	end(&t);
}
END_TEST

START_TEST(ioctls)
{
	struct under_test t;
	struct kvfs_request request = { .what = KVFS_REQUEST_IOCTL, .mode = KVFS_MODE_COPY };
	const struct kvfs_blocking_ops *ops;
	bool stale = false;
	void *handle;

	make(&t, "6.12");
	ops = t.node->ops->file->blocking;
	ck_assert_int_eq(kvfs_node_open(t.node, &handle), 0);
	request.cmd = 0x1234;
	ck_assert(!ops->waits(t.node, handle, &request));
	ck_assert_int_eq(ops->ioctl(t.node, handle, &request, &stale), -ENOTTY);
	ck_assert_uint_eq(nr_ioctls, 0);
	request.cmd = KVFS_RING_WAKE_WAITERS;
	ck_assert_int_eq(ops->ioctl(t.node, handle, &request, &stale), 0);
	ck_assert_uint_eq(nr_ioctls, 1);
	request.cmd = KVFS_RING_GET_READER;
	ck_assert(ops->waits(t.node, handle, &request));
	ck_assert_int_eq(ops->ioctl(t.node, handle, &request, &stale), 0);
	ck_assert(stale);
	ioctl_result = EINTR;
	ck_assert_int_eq(ops->ioctl(t.node, handle, &request, &stale), -EINTR);
	/* In mode split the mapping is the user's, and nothing is stale. */
	stale = false;
	ioctl_result = 0;
	request.mode = KVFS_MODE_SPLIT;
	request.nonblock = true;
	ck_assert(!ops->waits(t.node, handle, &request));
	ck_assert_int_eq(ops->ioctl(t.node, handle, &request, &stale), 0);
	ck_assert(!stale);
	ck_assert_int_ge(ops->poll_fd(t.node, handle), 0);
	kvfs_node_release(t.node, handle);
	end(&t);
}
END_TEST

UNIT_MAIN("file",
	one_node_a_ring,
	looking_opens_no_ring,
	failures_are_reported,
	reads_are_a_copy,
	the_size_while_it_is_open,
	a_ring_that_cannot_be_mapped,
	an_old_kernel_that_can,
	a_ring_that_is_not_there_or_busy,
	under_lockdown,
	ioctls)
