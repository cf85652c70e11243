// SPDX-License-Identifier: GPL-2.0-only
/* A ring in a fake tracefs: opened, measured, mapped and copied, and what each error means. */
#include "trace/tracefs.h"

#include <errno.h>
#include <sys/mman.h>

#include "failalloc.h"
#include "fake_tracefs.h"
#include "unit.h"

/* Mappings of files that fail, from the nth on; -1: none. */
static int fail_mmap_from = -1, mmap_errno;

void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off);

void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	if (fd < 0 || fail_mmap_from < 0 || fail_mmap_from-- > 0)
		return __real_mmap64(addr, len, prot, flags, fd, off);
	fail_mmap_from = 0;
	errno = mmap_errno;
	return MAP_FAILED;
}

static char cpu0[128];

static int make(struct fake *fake)
{
	int fd;

	fake_create(fake, 1);
	snprintf(cpu0, sizeof(cpu0), "%s/per_cpu/cpu0", fake->dir);
	fd = kvfs_tracefs_open(cpu0, true);
	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(paths)
{
	char path[64], small[8];

	ck_assert_int_eq(kvfs_tracefs_path("/x/cpu0", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/x/cpu0/trace_pipe_raw");
	ck_assert_int_eq(kvfs_tracefs_path("/x/cpu0", small, sizeof(small)), -ENAMETOOLONG);
	ck_assert_int_eq(kvfs_tracefs_open("/nonexistent", true), -ENOENT);
}
END_TEST

START_TEST(measured_and_mapped)
{
	struct kvfs_tracefs_map map;
	struct kvfs_ring_meta meta;
	struct fake fake;
	int fd = make(&fake);

	ck_assert_int_eq(kvfs_tracefs_measure(fd, &meta, NULL), 0);
	ck_assert_uint_eq(kvfs_ring_len(&meta), FAKE_LEN);
	ck_assert_int_eq(kvfs_tracefs_map(fd, &map, NULL), 0);
	ck_assert_uint_eq(map.len, FAKE_LEN);
	ck_assert_uint_eq(ring_commit((uint8_t *)map.mem + FAKE_SUBBUF), 8);
	kvfs_tracefs_unmap(&map);
	ck_assert_ptr_null(map.mem);
	ck_assert_uint_eq(map.len, 0);
	kvfs_tracefs_unmap(&map);
	close(fd);
	fake_remove(&fake);
}
END_TEST

START_TEST(what_an_error_means)
{
	static const struct {
		int errnum;
		const char *part;
	} cases[] = {
		{ ENODEV, "this kernel cannot map the trace ring" },
		{ EBUSY, "a snapshot of it" },
		{ EINVAL, "never online" },
		{ ENOMEM, "cannot map the trace ring: " },
	};
	struct kvfs_tracefs_map map;
	struct kvfs_ring_meta meta;
	struct kvfs_err err = { 0 };
	struct fake fake;
	int fd = make(&fake);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mmap_errno = cases[i].errnum;
		fail_mmap_from = 0;
		unit_assert_error(kvfs_tracefs_measure(fd, &meta, &err), cases[i].errnum, err, cases[i].part);
		fail_mmap_from = 0;
		unit_assert_error(kvfs_tracefs_map(fd, &map, &err), cases[i].errnum, err, cases[i].part);
		ck_assert_ptr_null(map.mem);
	}
	/* The meta page is mapped, the whole is not. */
	mmap_errno = ENOMEM;
	fail_mmap_from = 1;
	unit_assert_error(kvfs_tracefs_map(fd, &map, &err), ENOMEM, err, "20480 bytes");
	ck_assert_ptr_null(map.mem);
	fail_mmap_from = -1;
	close(fd);
	/* A meta page that contradicts itself. */
	fake_text("no ring, but as long as one is long, at least as a meta page: 0123456789012345678901234567890", "%s/trace_pipe_raw", cpu0);
	fd = kvfs_tracefs_open(cpu0, false);
	unit_assert_error(kvfs_tracefs_map(fd, &map, &err), EBADMSG, err, "this is no ring");
	close(fd);
	fake_remove(&fake);
}
END_TEST

START_TEST(copied)
{
	struct kvfs_tracefs_map map;
	struct fake fake;
	int fd = make(&fake), ret;
	void *copy;

	ck_assert_int_eq(kvfs_tracefs_map(fd, &map, NULL), 0);
	fake_text("entries: 1\noverrun: 0\ndropped events: 0\nread events: 0\n", "%s/stats", cpu0);
	ck_assert_int_eq(kvfs_tracefs_copy(cpu0, &map, &copy), 0);
	ck_assert_uint_eq(((struct kvfs_ring_meta *)copy)->entries, 1);
	ck_assert_mem_eq((char *)copy + FAKE_SUBBUF, (char *)map.mem + FAKE_SUBBUF, map.len - FAKE_SUBBUF);
	kvfs_tracefs_free_copy(copy, map.len);
	kvfs_tracefs_free_copy(NULL, 0);
	for (int n = 0;; n++) {
		failalloc_arm(n);
		ret = kvfs_tracefs_copy(cpu0, &map, &copy);
		if (!failalloc_happened())
			break;
		ck_assert_int_eq(ret, -ENOMEM);
	}
	ck_assert_int_eq(ret, 0);
	kvfs_tracefs_free_copy(copy, map.len);
	fake_text("entries: none\n", "%s/stats", cpu0);
	ck_assert_int_eq(kvfs_tracefs_copy(cpu0, &map, &copy), -EBADMSG);
	fake_remove(&fake);
	ck_assert_int_eq(kvfs_tracefs_copy(cpu0, &map, &copy), -ENOENT);
	kvfs_tracefs_unmap(&map);
	close(fd);
}
END_TEST

UNIT_MAIN("tracefs",
	paths,
	measured_and_mapped,
	what_an_error_means,
	copied)
