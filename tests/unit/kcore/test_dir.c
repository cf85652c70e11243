// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/dir.h"

#include <errno.h>

#include "failalloc.h"
#include "kcore_fixture.h"

static struct fixture f;

static struct kvfs_node *make(const char *core)
{
	struct kvfs_err err = { 0 };
	struct kvfs_node *dir;

	fixture_init(&f, core, FIXTURE_SYMS);
	ck_assert_msg(!kvfs_kcore_dir_create(&f.config, &dir, &err), "%s", err.msg);
	return dir;
}

/* The names that dir lists, in order, each with a space after it. */
static const char *names(struct kvfs_node *dir)
{
	static char text[256];
	struct kvfs_dirent entry = { .next = 0 };

	text[0] = '\0';
	while (dir->ops->dir->list(dir, entry.next, &entry) == 1) {
		struct kvfs_node *child;

		ck_assert_uint_lt(strlen(text) + strlen(entry.name) + 1, sizeof(text));
		strcat(strcat(text, entry.name), " ");
		ck_assert_int_eq(dir->ops->dir->lookup(dir, entry.name, &child), 0);
		ck_assert_uint_eq(child->ino, entry.ino);
		ck_assert_int_eq((int)(child->ino >> 48), KVFS_PROVIDER_KCORE);
		kvfs_node_put(child);
	}
	return text;
}

/* The reason why dir lacks name; NULL if it does not. */
static const char *reason_of(struct kvfs_node *dir, const char *name)
{
	const char *missing, *reason;

	for (size_t i = 0; dir->ops->dir->missing(dir, i, &missing, &reason); i++)
		if (strcmp(missing, name) == 0)
			return reason;
	return NULL;
}

START_TEST(all_files)
{
	struct kvfs_node *dir = make(FIXTURE), *child;

	ck_assert_str_eq(names(dir), "ram text core sym ");
	ck_assert_int_eq(dir->ops->dir->lookup(dir, "nothing", &child), -ENOENT);
	ck_assert_ptr_null(reason_of(dir, "ram"));
	kvfs_node_put(dir);
	fixture_deinit(&f);
}
END_TEST

START_TEST(some_files)
{
	struct kvfs_node *dir = make("elf\n" FIXTURE_RAM), *child;
	struct kvfs_err err;

	ck_assert_str_eq(names(dir), "ram core ");
	ck_assert_ptr_nonnull(strstr(reason_of(dir, "text"), "kernel image"));
	ck_assert_ptr_nonnull(strstr(reason_of(dir, "sym"), "kernel image"));
	ck_assert_int_eq(dir->ops->dir->lookup(dir, "text", &child), -ENOENT);
	kvfs_node_put(dir);
	/* Whether there is a kallsyms is found out, but it is not read. */
	f.config.kallsyms = "/nonexistent/kallsyms";
	fixture_write_kcore(&f, FIXTURE);
	ck_assert_int_eq(kvfs_kcore_dir_create(&f.config, &dir, &err), 0);
	ck_assert_str_eq(names(dir), "ram text core ");
	ck_assert_str_eq(reason_of(dir, "sym"), "/nonexistent/kallsyms: No such file or directory");
	kvfs_node_put(dir);
	fixture_deinit(&f);
}
END_TEST

START_TEST(no_directory)
{
	struct kvfs_err err = { 0 };
	struct kvfs_node *dir;
	int ret;

	fixture_init(&f, "elf\nload vaddr=0xffffc90000000000 memsz=64K\n", FIXTURE_SYMS);
	ret = kvfs_kcore_dir_create(&f.config, &dir, &err);
	unit_assert_error(ret, ENODATA, err, "no System RAM");
	fixture_write_kcore(&f, "elf type=3\n");
	ret = kvfs_kcore_dir_create(&f.config, &dir, &err);
	unit_assert_error(ret, ENOEXEC, err, "not a core");
	fixture_deinit(&f);
}
END_TEST

START_TEST(out_of_memory)
{
	struct kvfs_node *dir = make(FIXTURE);
	struct kvfs_err err = { 0 };

	kvfs_node_put(dir);
	/* A failure is an error, or the file that could not be laid out is missing. */
	for (int i = 0;; i++) {
		bool failed;
		int ret;

		failalloc_arm(i);
		ret = kvfs_kcore_dir_create(&f.config, &dir, &err);
		failed = failalloc_happened();
		if (ret == 0) {
			ck_assert_int_eq(failed, strcmp(names(dir), "ram text core sym ") != 0);
			kvfs_node_put(dir);
		} else {
			ck_assert_int_eq(ret, -ENOMEM);
		}
		if (!failed)
			break;
	}
	fixture_deinit(&f);
}
END_TEST

UNIT_MAIN("dir", all_files, some_files, no_directory, out_of_memory)
