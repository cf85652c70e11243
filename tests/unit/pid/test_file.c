// SPDX-License-Identifier: GPL-2.0-only
#include "pid/file.h"

#include <errno.h>

#include "base/cleanup.h"
#include "child.h"
#include "failalloc.h"
#include "unit.h"

#define PAGE UINT64_C(4096)
#define NR_PAGES 64

/* pid/, of which only the life counts here, and what its files share. */
struct owner {
	struct kvfs_node node;
	struct kvfs_pid_file_source source;
	bool destroyed;
};

static void owner_destroy(struct kvfs_node *node)
{
	((struct owner *)node)->destroyed = true;
}

static const struct kvfs_node_ops owner_ops = { .kind = KVFS_NODE_DIR, .destroy = owner_destroy };

static void set_up(struct owner *owner)
{
	const struct kvfs_mincore_config config = { 0 };
	struct kvfs_err err = { 0 };

	memset(owner, 0, sizeof(*owner));
	kvfs_node_init(&owner->node, &owner_ops, "pid", 2, 1);
	owner->source.owner = &owner->node;
	ck_assert_msg(kvfs_mincore_create(&config, &owner->source.mincore, &err) == 0, "%s", err.msg);
}

static void tear_down(struct owner *owner)
{
	ck_assert(!owner->destroyed);
	kvfs_node_put(&owner->node);
	ck_assert(owner->destroyed);
	kvfs_mincore_destroy(owner->source.mincore);
}

static struct kvfs_node *create(struct owner *owner, pid_t pid, enum kvfs_pid_file_kind kind)
{
	struct kvfs_process_id id;
	struct kvfs_node *file;

	ck_assert_int_eq(kvfs_process_identify(pid, &id), 0);
	file = kvfs_pid_file_create(&owner->source, &id, kind, 4, 3);
	ck_assert_ptr_nonnull(file);
	return file;
}

static ssize_t read_at(struct kvfs_node *file, void *handle, void *buf, size_t len, uint64_t off)
{
	return file->ops->file->read(file, handle, buf, len, off);
}

/* Anonymous memory whose even pages exist. */
static uint8_t *map_pages(void)
{
	uint8_t *p = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	madvise(p, NR_PAGES * PAGE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < NR_PAGES; i += 2)
		p[i * PAGE] = 1;
	return p;
}

START_TEST(test_pagemap)
{
	_cleanup_close_ int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t off = (uintptr_t)map_pages() / PAGE * 8;
	char want[NR_PAGES * 8], seen[NR_PAGES * 8];
	struct kvfs_node *file;
	struct kvfs_attr attr;
	struct owner owner;
	void *handle;

	set_up(&owner);
	file = create(&owner, getpid(), KVFS_PID_FILE_PAGEMAP);
	ck_assert_int_eq(kvfs_node_open(file, &handle), 0);
	ck_assert_int_eq(pread(fd, want, sizeof(want), (off_t)off), (int)sizeof(want));
	ck_assert_int_eq(read_at(file, handle, seen, sizeof(seen), off), (int)sizeof(seen));
	ck_assert_mem_eq(seen, want, sizeof(want));
	/* At any offset and length. */
	for (size_t at = 0; at < 20; at++) {
		for (size_t len = 0; len < 20; len++) {
			ck_assert_int_eq(read_at(file, handle, seen, len, off + at), (int)len);
			ck_assert_mem_eq(seen, want + at, len);
		}
	}
	ck_assert_int_eq(kvfs_node_getattr(file, &attr), 0);
	ck_assert_uint_ge(attr.data_len, sizeof(want));
	ck_assert_uint_eq(attr.data_len % 8, 0);
	ck_assert_int_eq(read_at(file, handle, seen, 16, attr.size - 3), 3);
	ck_assert_int_eq(read_at(file, handle, seen, 16, attr.size), 0);
	ck_assert_int_eq(read_at(file, handle, seen, 16, UINT64_MAX), 0);
	kvfs_node_release(file, handle);
	kvfs_node_put(file);
	tear_down(&owner);
}
END_TEST

START_TEST(test_mincore)
{
	uint8_t *p = map_pages(), seen[NR_PAGES];
	unsigned char want[NR_PAGES];
	struct kvfs_attr attr, pagemap_attr;
	struct kvfs_node *file, *pagemap;
	struct owner owner;
	void *handle;

	set_up(&owner);
	file = create(&owner, getpid(), KVFS_PID_FILE_MINCORE);
	ck_assert_int_eq(kvfs_node_open(file, &handle), 0);
	ck_assert_int_eq(mincore(p, NR_PAGES * PAGE, want), 0);
	ck_assert_int_eq(read_at(file, handle, seen, NR_PAGES, (uintptr_t)p / PAGE), NR_PAGES);
	for (size_t i = 0; i < NR_PAGES; i++)
		ck_assert_msg((seen[i] & 1) == (want[i] & 1), "page %zu: %#x", i, seen[i]);
	ck_assert_int_eq(kvfs_node_getattr(file, &attr), 0);
	ck_assert_int_eq(read_at(file, handle, seen, 16, attr.size - 3), 3);
	ck_assert_int_eq(read_at(file, handle, seen, 16, attr.size), 0);
	ck_assert_int_eq(read_at(file, handle, seen, 16, UINT64_MAX), 0);
	pagemap = create(&owner, getpid(), KVFS_PID_FILE_PAGEMAP);
	ck_assert_int_eq(kvfs_node_getattr(pagemap, &pagemap_attr), 0);
	ck_assert_uint_eq(pagemap_attr.size, attr.size * 8);
	kvfs_node_put(pagemap);
	kvfs_node_release(file, handle);
	kvfs_node_put(file);
	tear_down(&owner);
}
END_TEST

static uint64_t seek(struct kvfs_node *file, void *handle, uint64_t off, int whence)
{
	uint64_t out = 0;

	ck_assert_int_eq(kvfs_node_seek(file, handle, off, whence, &out), 0);
	return out;
}

START_TEST(test_seek)
{
	/* The smallest hole in mincore is a block of KVFS_MAPS_BLOCK pages: these are three times as long. */
	uint64_t n = 3 * 4096, first, out;
	struct kvfs_node *file;
	struct kvfs_attr attr;
	struct owner owner;
	void *handle;
	uint8_t *p;

	set_up(&owner);
	file = create(&owner, getpid(), KVFS_PID_FILE_MINCORE);
	ck_assert_int_eq(kvfs_node_open(file, &handle), 0);
	p = mmap(NULL, 3 * n * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	munmap(p + n * PAGE, n * PAGE);
	first = (uintptr_t)p / PAGE;
	ck_assert_uint_eq(seek(file, handle, first + 5, SEEK_DATA), first + 5);
	ck_assert_uint_eq(seek(file, handle, first + 5, SEEK_HOLE), first + n);
	ck_assert_uint_eq(seek(file, handle, first + n + 7, SEEK_HOLE), first + n + 7);
	ck_assert_uint_eq(seek(file, handle, first + n + 7, SEEK_DATA), first + 2 * n);
	ck_assert_int_eq(kvfs_node_getattr(file, &attr), 0);
	ck_assert_int_eq(kvfs_node_seek(file, handle, attr.size, SEEK_DATA, &out), -ENXIO);
	ck_assert_int_eq(kvfs_node_seek(file, handle, attr.size - 1, SEEK_DATA, &out), -ENXIO);
	ck_assert_int_eq(kvfs_node_seek(file, handle, 0, SEEK_CUR, &out), -EINVAL);
	kvfs_node_release(file, handle);
	kvfs_node_put(file);
	tear_down(&owner);
}
END_TEST

/* A process that ends while its files are open. */
START_TEST(test_exit)
{
	enum kvfs_pid_file_kind kind = (enum kvfs_pid_file_kind)_i;
	struct kvfs_node *file;
	struct kvfs_attr attr;
	struct owner owner;
	void *handle, *again;
	uint64_t out;
	char buf[16];
	pid_t pid = child_start();

	set_up(&owner);
	file = create(&owner, pid, kind);
	ck_assert_int_eq(kvfs_node_open(file, &handle), 0);
	ck_assert_int_eq(read_at(file, handle, buf, 16, 0), 16);
	child_end(pid);
	ck_assert_int_eq(read_at(file, handle, buf, 16, 0), -ESRCH);
	ck_assert_int_eq(kvfs_node_seek(file, handle, 0, SEEK_DATA, &out), -ESRCH);
	ck_assert_int_eq(kvfs_node_getattr(file, &attr), -ENOENT);
	ck_assert_int_eq(kvfs_node_open(file, &again), -ENOENT);
	kvfs_node_release(file, handle);
	kvfs_node_put(file);
	tear_down(&owner);
}
END_TEST

/* A shortage is an error of each operation: no size of 0, no empty file, no hole. */
START_TEST(test_shortage)
{
	enum kvfs_pid_file_kind kind = (enum kvfs_pid_file_kind)_i;
	uint64_t off = (uintptr_t)map_pages() / PAGE * (kind == KVFS_PID_FILE_PAGEMAP ? 8 : 1), out;
	struct kvfs_attr attr;
	struct kvfs_node *file;
	struct owner owner;
	char buf[8];
	void *handle;
	ssize_t ret;

	set_up(&owner);
	file = create(&owner, getpid(), kind);
	unit_try_few_fds(ret, ret = kvfs_node_getattr(file, &attr));
	ck_assert_uint_gt(attr.size, 0);
	unit_try_few_fds(ret, ret = kvfs_node_open(file, &handle));
	kvfs_node_release(file, handle);
	failalloc_try_all(ret, ret = kvfs_node_open(file, &handle));
	unit_try_few_fds(ret, ret = read_at(file, handle, buf, sizeof(buf), off));
	ck_assert_int_eq(ret, (int)sizeof(buf));
	unit_try_few_fds(ret, ret = kvfs_node_seek(file, handle, off, SEEK_DATA, &out));
	ck_assert_uint_eq(out, off);
	failalloc_try_all(ret, ret = kvfs_node_seek(file, handle, off, SEEK_DATA, &out));
	if (kind == KVFS_PID_FILE_MINCORE)
		failalloc_try_all(ret, ret = read_at(file, handle, buf, sizeof(buf), off));
	kvfs_node_release(file, handle);
	kvfs_node_put(file);
	tear_down(&owner);
}
END_TEST

START_TEST(test_describe)
{
	struct kvfs_desc desc;
	struct kvfs_node *file;
	struct owner owner;
	char want[64];

	set_up(&owner);
	file = create(&owner, getpid(), KVFS_PID_FILE_PAGEMAP);
	kvfs_node_describe(file, KVFS_MODE_COPY, &desc);
	snprintf(want, sizeof(want), "/proc/%d/pagemap", getpid());
	ck_assert_str_eq(desc.source, want);
	ck_assert_str_eq(file->ops->file->no_backing, KVFS_PID_FILE_NO_BACKING);
	kvfs_node_put(file);
	tear_down(&owner);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file");
	TCase *tcase = tcase_create("file");

	tcase_add_test(tcase, test_pagemap);
	tcase_add_test(tcase, test_mincore);
	tcase_add_test(tcase, test_seek);
	tcase_add_loop_test(tcase, test_exit, 0, KVFS_PID_FILE_NR_KINDS);
	tcase_add_loop_test(tcase, test_shortage, 0, KVFS_PID_FILE_NR_KINDS);
	tcase_add_test(tcase, test_describe);
	suite_add_tcase(suite, tcase);
	return unit_run_suite(suite, tcase);
}
