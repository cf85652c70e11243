// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/source.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"
#include "vmcore_fixture.h"

/* Stands in for the module, where kmod has a descriptor. */
int __wrap_kvfs_kmod_check_window(const struct kvfs_kmod *kmod, const struct kvfs_extents *t, struct kvfs_err *err);
int __wrap_kvfs_kmod_create_window(const struct kvfs_kmod *kmod, const char *name, const struct kvfs_extents *t,
				   int file, struct kvfs_err *err);

static int window_file;		/* of which a window was made */

int __wrap_kvfs_kmod_check_window(const struct kvfs_kmod *kmod, const struct kvfs_extents *t, struct kvfs_err *err)
{
	return t->n == 1 ? 0 : kvfs_err_set(err, E2BIG, "too many extents");
}

int __wrap_kvfs_kmod_create_window(const struct kvfs_kmod *kmod, const char *name, const struct kvfs_extents *t,
				   int file, struct kvfs_err *err)
{
	window_file = file;
	return kvfs_err_set(err, ENOTTY, "%s", name);
}

START_TEST(test_references)
{
	struct kvfs_vmcore_source *src = fixture_source(fixture_text("elf machine=62"));

	ck_assert_ptr_eq(kvfs_vmcore_source_get(src), src);
	kvfs_vmcore_source_put(src);
	ck_assert_uint_eq(kvfs_vmcore_source_dump(src)->nr_segs, 2);
	kvfs_vmcore_source_put(src);
	kvfs_vmcore_source_put(NULL);
}
END_TEST

START_TEST(test_name)
{
	struct kvfs_vmcore_source *src = fixture_source(fixture_text("elf"));
	char want[128], longer[200], dir[] = "/tmp/kviewfs-unit-XXXXXX";
	const char *name = longer;
	struct kvfs_dump_config config = { .files = &name, .nr_files = 1, .tmpdir = "/tmp" };
	struct kvfs_err err = { 0 };

	snprintf(want, sizeof(want), "%s (ELF64 core)", fixture_path);
	ck_assert_str_eq(kvfs_vmcore_source_name(src), want);
	kvfs_vmcore_source_put(src);

	/* Of a long name the end is kept. */
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(longer, sizeof(longer), "%s/%0100d", dir, 7);
	ck_assert_int_eq(symlink(fixture_path, longer), 0);
	ck_assert_msg(kvfs_vmcore_source_create(&config, &no_module, NO_MODULE, &src, &err) == 0, "%s", err.msg);
	snprintf(want, sizeof(want), "...%064d (ELF64 core)", 7);
	ck_assert_str_eq(kvfs_vmcore_source_name(src), want);
	kvfs_vmcore_source_put(src);
	unlink(longer);
	rmdir(dir);
}
END_TEST

START_TEST(test_window)
{
	struct kvfs_vmcore_source *src = fixture_source(fixture_text("elf"));
	const struct kvfs_dump *dump = kvfs_vmcore_source_dump(src);
	const struct kvfs_kmod module = { .fd = 1000 };
	const char *name = fixture_path;
	const struct kvfs_dump_config config = { .files = &name, .nr_files = 1, .tmpdir = "/tmp" };
	const struct kvfs_extents none = { 0 };
	struct kvfs_err err = { 0 };

	unit_assert_error(kvfs_vmcore_source_check_window(src, &dump->core, &err), ENODEV, err, NO_MODULE);
	kvfs_vmcore_source_put(src);
	ck_assert_int_eq(kvfs_vmcore_source_create(&config, &module, "", &src, &err), 0);
	dump = kvfs_vmcore_source_dump(src);
	ck_assert_int_eq(kvfs_vmcore_source_check_window(src, &dump->core, &err), 0);
	unit_assert_error(kvfs_vmcore_source_check_window(src, &none, &err), E2BIG, err, "too many");
	unit_assert_error(kvfs_vmcore_source_create_window(src, "vmcore-ram", &dump->core, &err), ENOTTY, err, "vmcore-ram");
	ck_assert_int_eq(window_file, dump->fd);
	kvfs_vmcore_source_put(src);
}
END_TEST

START_TEST(test_refused)
{
	struct kvfs_vmcore_source *src;
	const char *name = "/no/such/dump";
	struct kvfs_dump_config config = { .files = &name, .nr_files = 1, .tmpdir = "/tmp" };
	struct kvfs_err err = { 0 };
	int ret;

	unit_assert_error(kvfs_vmcore_source_create(&config, &no_module, NO_MODULE, &src, &err), ENOENT, err, name);
	fixture_write(fixture_text("elf"));
	config = fixture_config(&name);
	failalloc_try_all(ret, ret = kvfs_vmcore_source_create(&config, &no_module, NO_MODULE, &src, &err));
	kvfs_vmcore_source_put(src);
}
END_TEST

UNIT_MAIN("vmcore/source", test_references, test_name, test_window, test_refused)
