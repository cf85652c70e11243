// SPDX-License-Identifier: GPL-2.0-only
/* Folders of a fake tracefs, and of none. */
#include "trace/listing.h"

#include <dirent.h>
#include <errno.h>

#include "failalloc.h"
#include "fake_tracefs.h"
#include "unit.h"

START_TEST(cpus_in_their_order)
{
	struct kvfs_trace_listing listing = { 0 };
	struct fake fake;

	fake_create(&fake, 12);
	/* Names that are no CPU's. */
	fake_mkdir("%s/per_cpu/cpu", fake.dir);
	fake_mkdir("%s/per_cpu/cpu01", fake.dir);
	fake_mkdir("%s/per_cpu/other", fake.dir);
	ck_assert_int_eq(kvfs_trace_listing_load_cpus(&listing, fake.dir), 0);
	ck_assert_uint_eq(listing.n, 12);
	for (size_t i = 0; i < listing.n; i++) {
		char name[32], dir[PATH_MAX];
		uint64_t ino;

		snprintf(name, sizeof(name), "cpu%zu", i);
		ck_assert_uint_eq(listing.v[i].key, i);
		ck_assert_str_eq(listing.v[i].name, name);
		snprintf(dir, sizeof(dir), "%s/per_cpu/%s", fake.dir, name);
		ck_assert_int_eq(kvfs_trace_listing_ring_ino(dir, &ino), 0);
		ck_assert_uint_eq(listing.v[i].ino, ino);
	}
	ck_assert_str_eq(kvfs_trace_listing_from(&listing, 0)->name, "cpu0");
	ck_assert_str_eq(kvfs_trace_listing_from(&listing, 11)->name, "cpu11");
	ck_assert_ptr_null(kvfs_trace_listing_from(&listing, 12));
	/* A CPU folder without a ring, as while an instance is removed. */
	fake_mkdir("%s/per_cpu/cpu12", fake.dir);
	ck_assert_int_eq(kvfs_trace_listing_load_cpus(&listing, fake.dir), 0);
	ck_assert_uint_eq(listing.n, 12);
	kvfs_trace_listing_free(&listing);
	ck_assert_uint_eq(listing.n, 0);
	ck_assert_ptr_null(kvfs_trace_listing_from(&listing, 0));
	fake_remove(&fake);
}
END_TEST

START_TEST(instances_by_ino)
{
	struct kvfs_trace_listing listing = { 0 };
	struct fake fake;
	char dir[PATH_MAX];

	fake_create(&fake, 1);
	snprintf(dir, sizeof(dir), "%s/instances", fake.dir);
	ck_assert_int_eq(kvfs_trace_listing_load_instances(&listing, dir), 0);
	ck_assert_uint_eq(listing.n, 0);
	fake_instance(&fake, "one", 1);
	fake_instance(&fake, "two", 1);
	fake_text("", "%s/a-file", dir);
	ck_assert_int_eq(kvfs_trace_listing_load_instances(&listing, dir), 0);
	ck_assert_uint_eq(listing.n, 2);
	ck_assert_uint_lt(listing.v[0].ino, listing.v[1].ino);
	ck_assert_uint_eq(listing.v[0].key, listing.v[0].ino);
	ck_assert_ptr_eq(kvfs_trace_listing_from(&listing, listing.v[0].key + 1), &listing.v[1]);
	kvfs_trace_listing_free(&listing);
	fake_remove(&fake);
}
END_TEST

START_TEST(what_is_not_there)
{
	struct kvfs_trace_listing listing = { 0 };
	uint64_t ino;

	ck_assert_int_eq(kvfs_trace_listing_load_cpus(&listing, "/nonexistent"), -ENOENT);
	ck_assert_int_eq(kvfs_trace_listing_load_instances(&listing, "/nonexistent"), -ENOENT);
	ck_assert_int_eq(kvfs_trace_listing_ring_ino("/nonexistent", &ino), -ENOENT);
	ck_assert_int_eq(kvfs_trace_listing_ring_ino("/proc/self/stat", &ino), -ENOENT);
	ck_assert_int_eq(kvfs_trace_listing_dir_ino("/proc/self/stat", &ino), -ENOENT);
}
END_TEST

/* Failures of stat(2), opendir(3) and readdir(3) are not "there is nothing". */

static int fail_stat, fail_opendir, fail_readdir;

int __real_stat64(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
struct dirent *__real_readdir64(DIR *d);
struct dirent *__wrap_readdir64(DIR *d);

int __wrap_stat64(const char *path, struct stat *st)
{
	if (!fail_stat)
		return __real_stat64(path, st);
	errno = fail_stat;
	return -1;
}

DIR *__wrap_opendir(const char *path)
{
	if (!fail_opendir)
		return __real_opendir(path);
	errno = fail_opendir;
	return NULL;
}

struct dirent *__wrap_readdir64(DIR *d)
{
	if (!fail_readdir)
		return __real_readdir64(d);
	errno = fail_readdir;
	return NULL;
}

START_TEST(what_is_wrong_is_reported)
{
	struct kvfs_trace_listing listing = { 0 };
	struct fake fake;
	uint64_t ino;
	int ret;

	fake_create(&fake, 20);
	failalloc_try_all(ret, ret = kvfs_trace_listing_load_cpus(&listing, fake.dir));
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_eq(listing.n, 20);
	fail_opendir = EMFILE;
	ck_assert_int_eq(kvfs_trace_listing_load_cpus(&listing, fake.dir), -EMFILE);
	ck_assert_uint_eq(listing.n, 0);
	fail_opendir = 0;
	fail_readdir = ENOMEM;
	ck_assert_int_eq(kvfs_trace_listing_load_cpus(&listing, fake.dir), -ENOMEM);
	fail_readdir = 0;
	fail_stat = ENOMEM;
	ck_assert_int_eq(kvfs_trace_listing_load_cpus(&listing, fake.dir), -ENOMEM);
	ck_assert_int_eq(kvfs_trace_listing_dir_ino(fake.dir, &ino), -ENOMEM);
	fail_stat = 0;
	kvfs_trace_listing_free(&listing);
	fake_remove(&fake);
}
END_TEST

UNIT_MAIN("listing",
	cpus_in_their_order,
	instances_by_ino,
	what_is_not_there,
	what_is_wrong_is_reported)
