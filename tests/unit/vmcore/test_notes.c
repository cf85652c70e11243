// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/notes.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"
#include "vmcore_fixture.h"

#define INO 70
#define PARENT_INO 7
#define FIRST_INO 1000

START_TEST(test_list)
{
	struct kvfs_vmcore_source *src = fixture_source(fixture_text("elf machine=62"));
	struct kvfs_dirent entry = { .next = 0 };
	struct kvfs_err err = { 0 };
	struct kvfs_node *dir = NULL;
	int ret;

	failalloc_try_all(ret, ret = kvfs_vmcore_notes_create(src, INO, PARENT_INO, FIRST_INO, &dir, &err));
	/* The directory has a reference of its own. */
	kvfs_vmcore_source_put(src);
	ck_assert_uint_eq(dir->ino, INO);
	ck_assert_uint_eq(dir->parent_ino, PARENT_INO);
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
		char name[16];

		snprintf(name, sizeof(name), "cpu%u", cpu);
		ck_assert_int_eq(dir->ops->dir->list(dir, entry.next, &entry), 1);
		ck_assert_str_eq(entry.name, name);
		ck_assert_uint_eq(entry.ino, FIRST_INO + cpu);
		ck_assert_int_eq(entry.kind, KVFS_NODE_FILE);
	}
	ck_assert_int_eq(dir->ops->dir->list(dir, entry.next, &entry), 0);
	kvfs_node_put(dir);
}
END_TEST

START_TEST(test_lookup)
{
	static const char *const strangers[] = { "cpu3", "cpu01", "cpu", "cpu-1", "seg0", "", "cpu18446744073709551616" };
	struct kvfs_vmcore_source *src = fixture_source(fixture_text("elf machine=62"));
	struct kvfs_err err = { 0 };
	struct kvfs_node *dir, *file;
	struct kvfs_attr attr;
	char buf[64];

	ck_assert_int_eq(kvfs_vmcore_notes_create(src, INO, PARENT_INO, FIRST_INO, &dir, &err), 0);
	ck_assert_int_eq(dir->ops->dir->lookup(dir, "cpu2", &file), 0);
	ck_assert_uint_eq(file->ino, FIRST_INO + 2);
	ck_assert_uint_eq(file->parent_ino, INO);
	ck_assert_int_eq(kvfs_node_getattr(file, &attr), 0);
	ck_assert_uint_gt(attr.size, 100);
	ck_assert_int_eq(file->ops->file->read(file, NULL, buf, sizeof(buf), 0), sizeof(buf));
	ck_assert_mem_eq(buf, "signal: 0\npid: 102\n", 19);
	kvfs_node_put(file);
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		ck_assert_msg(dir->ops->dir->lookup(dir, strangers[i], &file) == -ENOENT, "%s", strangers[i]);
	kvfs_node_put(dir);
	kvfs_vmcore_source_put(src);
}
END_TEST

START_TEST(test_none)
{
	struct kvfs_vmcore_source *src = fixture_source("elf machine=62\n" FIXTURE_LOADS);
	struct kvfs_err err = { 0 };
	struct kvfs_node *dir;

	unit_assert_error(kvfs_vmcore_notes_create(src, INO, PARENT_INO, FIRST_INO, &dir, &err), ENODATA, err, "NT_PRSTATUS");
	kvfs_vmcore_source_put(src);
	src = fixture_source(fixture_text("elf machine=40"));
	unit_assert_error(kvfs_vmcore_notes_create(src, INO, PARENT_INO, FIRST_INO, &dir, &err), EOPNOTSUPP, err, "machine 40");
	kvfs_vmcore_source_put(src);
}
END_TEST

UNIT_MAIN("vmcore/notes", test_list, test_lookup, test_none)
