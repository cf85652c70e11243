// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/dir.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"
#include "vmcore/printk.h"
#include "vmcore_fixture.h"

/* Stands in for the printk ring buffer: one line, and how reading it ends. */
int __wrap_kvfs_printk_decode(const struct kvfs_vmcoreinfo *info, kvfs_printk_read_fn read, void *arg,
			      FILE *out, struct kvfs_err *err);

static int log_ret;

int __wrap_kvfs_printk_decode(const struct kvfs_vmcoreinfo *info, kvfs_printk_read_fn read, void *arg,
			      FILE *out, struct kvfs_err *err)
{
	if (log_ret != -EOPNOTSUPP)
		fputs("a line\n", out);
	return log_ret < 0 ? kvfs_err_set(err, -log_ret, "the ring is torn") : 0;
}

static struct kvfs_node *make_dir(const char *text)
{
	struct kvfs_dump_config config;
	struct kvfs_node *dir = NULL;
	struct kvfs_err err = { 0 };
	const char *name;

	fixture_write(text);
	config = fixture_config(&name);
	ck_assert_msg(kvfs_vmcore_dir_create(&config, &no_module, NO_MODULE, &dir, &err) == 0, "%s", err.msg);
	return dir;
}

/* The names of a listing, each with a space after it. */
static const char *list(struct kvfs_node *dir)
{
	static char names[256];
	struct kvfs_dirent entry = { .next = 0 };
	size_t at = 0;

	names[0] = '\0';
	while (dir->ops->dir->list(dir, entry.next, &entry) == 1) {
		struct kvfs_node *node;

		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s ", entry.name);
		ck_assert_int_eq(dir->ops->dir->lookup(dir, entry.name, &node), 0);
		ck_assert_uint_eq(node->ino, entry.ino);
		ck_assert_uint_eq(node->parent_ino, dir->ino);
		ck_assert_int_eq(node->ops->kind, entry.kind);
		kvfs_node_put(node);
	}
	return names;
}

START_TEST(test_list)
{
	static const char *const strangers[] = { "seg2", "seg00", "seg", "seg-1", "Core", "", "seg18446744073709551616" };
	struct kvfs_node *dir = make_dir(fixture_text("elf machine=62")), *node;
	const char *name, *reason;

	ck_assert_str_eq(list(dir), "core ram vmcoreinfo dmesg notes seg0 seg1 ");
	ck_assert(!dir->ops->dir->missing(dir, 0, &name, &reason));
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		ck_assert_msg(dir->ops->dir->lookup(dir, strangers[i], &node) == -ENOENT, "%s", strangers[i]);
	kvfs_node_put(dir);
}
END_TEST

/* What a dump has nothing for is missing, with the reason, and what follows it keeps its ino. */
START_TEST(test_missing)
{
	struct kvfs_node *dir = make_dir("elf machine=62\n" FIXTURE_LOADS);
	static const char *const names[] = { "vmcoreinfo", "dmesg", "notes" };
	const char *name, *reason;
	struct kvfs_desc desc;

	ck_assert_str_eq(list(dir), "core ram seg0 seg1 ");
	for (size_t i = 0; i < 3; i++) {
		ck_assert(dir->ops->dir->missing(dir, i, &name, &reason));
		ck_assert_str_eq(name, names[i]);
		ck_assert_ptr_nonnull(strstr(reason, i < 2 ? "no VMCOREINFO" : "NT_PRSTATUS"));
	}
	ck_assert(!dir->ops->dir->missing(dir, 3, &name, &reason));
	/* A dump without a log is whole. */
	kvfs_node_describe(dir, KVFS_MODE_COPY, &desc);
	ck_assert_ptr_null(desc.incomplete);
	kvfs_node_put(dir);
}
END_TEST

START_TEST(test_describe)
{
	struct kvfs_node *dir = make_dir(fixture_text("elf machine=62"));
	char text[20000];
	struct kvfs_desc desc;

	kvfs_node_describe(dir, KVFS_MODE_COPY, &desc);
	ck_assert_ptr_nonnull(strstr(desc.source, "(ELF64 core)"));
	ck_assert_ptr_null(desc.incomplete);
	ck_assert(desc.has_damaged && desc.damaged == 0);
	kvfs_node_put(dir);

	log_ret = -EIO;
	dir = make_dir(fixture_text("elf machine=62"));
	kvfs_node_describe(dir, KVFS_MODE_COPY, &desc);
	ck_assert_str_eq(desc.incomplete, "the log breaks off: the ring is torn");
	kvfs_node_put(dir);

	/* What the dump lacks comes before that. */
	snprintf(text, sizeof(text), "%ssize 0x4000\n", fixture_text("elf machine=62"));
	dir = make_dir(text);
	kvfs_node_describe(dir, KVFS_MODE_COPY, &desc);
	ck_assert_ptr_nonnull(strstr(desc.incomplete, "is truncated"));
	kvfs_node_put(dir);
}
END_TEST

/* A log of which nothing could be read is missing; it does not break off. */
START_TEST(test_no_log)
{
	struct kvfs_node *dir;
	const char *name, *reason;
	struct kvfs_desc desc;

	log_ret = -EOPNOTSUPP;
	dir = make_dir(fixture_text("elf machine=62"));
	ck_assert(dir->ops->dir->missing(dir, 0, &name, &reason));
	ck_assert_str_eq(name, "dmesg");
	ck_assert_str_eq(reason, "the ring is torn");
	kvfs_node_describe(dir, KVFS_MODE_COPY, &desc);
	ck_assert_ptr_null(desc.incomplete);
	kvfs_node_put(dir);
}
END_TEST

START_TEST(test_errors)
{
	struct kvfs_dump_config config;
	struct kvfs_node *dir = NULL;
	struct kvfs_err err = { 0 };
	const char *name;
	int ret;

	fixture_write("elf type=2\n" FIXTURE_LOADS);
	config = fixture_config(&name);
	unit_assert_error(kvfs_vmcore_dir_create(&config, &no_module, NO_MODULE, &dir, &err), ENOEXEC, err, "not a core");
	fixture_write(fixture_text("elf machine=62"));
	config = fixture_config(&name);
	failalloc_try_all(ret, ret = kvfs_vmcore_dir_create(&config, &no_module, NO_MODULE, &dir, &err));
	kvfs_node_put(dir);
}
END_TEST

UNIT_MAIN("vmcore/dir", test_list, test_missing, test_describe, test_no_log, test_errors)
