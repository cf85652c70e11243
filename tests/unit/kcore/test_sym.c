// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/sym.h"

#include <errno.h>

#include "kcore_fixture.h"

#define FIRST_INO 0x1000

static struct fixture f;
static struct kvfs_kcore_source *src;
static struct kvfs_node *dir;

static void set_up(const char *syms)
{
	fixture_init(&f, FIXTURE, syms);
	src = fixture_source(&f);
	dir = kvfs_kcore_sym_create(src, f.kallsyms, 7, 1, FIRST_INO);
	ck_assert_ptr_nonnull(dir);
}

static void tear_down(void)
{
	kvfs_node_put(dir);
	kvfs_kcore_source_put(src);
	fixture_deinit(&f);
}

static int look_up(const char *name, uint64_t *ino, uint64_t *size)
{
	struct kvfs_node *file;
	struct kvfs_attr attr;
	int ret = dir->ops->dir->lookup(dir, name, &file);

	if (ret < 0)
		return ret;
	ck_assert_int_eq(kvfs_node_getattr(file, &attr), 0);
	ck_assert_uint_eq(file->parent_ino, 7);
	*ino = file->ino;
	*size = attr.size;
	kvfs_node_put(file);
	return 0;
}

START_TEST(look_ups)
{
	static const struct { const char *name; uint64_t off, size; } found[] = {
		{ "_text", 0, 0x40 }, { "first", 0x40, 0x40 }, { "alias", 0x40, 0x40 },
		{ "first@ffffffff81000040", 0x40, 0x40 }, { "twice@ffffffff81000080", 0x80, 0x80 },
		{ "twice@ffffffff81000180", 0x180, 0x1ffff8 - 0x180 }, { "last", 0x1ffff8, 8 },
	};
	static const char *const missing[] = { "nothing", "outside", "percpu", "_end", "", "firs" };
	uint64_t ino, size;

	set_up(FIXTURE_SYMS);
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		ck_assert_int_eq(look_up(found[i].name, &ino, &size), 0);
		ck_assert_uint_eq(ino, FIRST_INO + found[i].off);
		ck_assert_uint_eq(size, found[i].size);
	}
	ck_assert_int_eq(look_up("twice", &ino, &size), -ENOTUNIQ);
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
		ck_assert_int_eq(look_up(missing[i], &ino, &size), -ENOENT);
	tear_down();
}
END_TEST

/* By address; a name that is no file name is left out, and each name listed can be looked up. */
START_TEST(listing)
{
	static const char *const want[] = {
		"_text", "first", "alias", "twice@ffffffff81000080", "twice@ffffffff81000180", "last",
	};
	struct kvfs_dirent entry = { .next = 0 };
	uint64_t ino, size;
	size_t n = 0;

	set_up(FIXTURE_SYMS);
	while (dir->ops->dir->list(dir, entry.next, &entry) == 1) {
		ck_assert_uint_lt(n, sizeof(want) / sizeof(want[0]));
		ck_assert_str_eq(entry.name, want[n++]);
		ck_assert_int_eq(entry.kind, KVFS_NODE_FILE);
		ck_assert_int_eq(look_up(entry.name, &ino, &size), 0);
		ck_assert_uint_eq(entry.ino, ino);
	}
	ck_assert_uint_eq(n, sizeof(want) / sizeof(want[0]));
	ck_assert(dir->ops->dir->huge);
	tear_down();
}
END_TEST

START_TEST(bad_kallsyms)
{
	struct kvfs_dirent entry;
	struct kvfs_desc desc;
	uint64_t ino, size;

	set_up("garbage\n");
	ck_assert_int_eq(look_up("first", &ino, &size), -EBADMSG);
	ck_assert_int_eq(dir->ops->dir->list(dir, 0, &entry), -EBADMSG);
	kvfs_node_describe(dir, KVFS_MODE_COPY, &desc);
	ck_assert_str_eq(desc.source, f.kallsyms);
	tear_down();
}
END_TEST

UNIT_MAIN("sym", look_ups, listing, bad_kallsyms)
