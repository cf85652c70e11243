// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/file.h"

#include <errno.h>
#include <sys/stat.h>

#include "failalloc.h"
#include "unit.h"
#include "vmcore_fixture.h"

#define INO 70
#define PARENT_INO 7

/* Stands in for windows of the module, which this machine does not have. */
int __wrap_kvfs_vmcore_source_check_window(const struct kvfs_vmcore_source *src, const struct kvfs_extents *t,
					   struct kvfs_err *err);
int __wrap_kvfs_vmcore_source_create_window(const struct kvfs_vmcore_source *src, const char *name,
					    const struct kvfs_extents *t, struct kvfs_err *err);

static bool has_module;
static const char *window;	/* name of the last window */

int __wrap_kvfs_vmcore_source_check_window(const struct kvfs_vmcore_source *src, const struct kvfs_extents *t,
					   struct kvfs_err *err)
{
	return has_module ? 0 : kvfs_err_set(err, ENODEV, NO_MODULE);
}

int __wrap_kvfs_vmcore_source_create_window(const struct kvfs_vmcore_source *src, const char *name,
					    const struct kvfs_extents *t, struct kvfs_err *err)
{
	window = name;
	return unit_file(NULL, 0);
}

static struct kvfs_vmcore_source *src;
static struct kvfs_dump *dump;

static void set_up(void)
{
	src = fixture_source(fixture_text("elf machine=62"));
	dump = kvfs_vmcore_source_dump(src);
}

static struct kvfs_node *make_seg(size_t nr)
{
	struct kvfs_node *file = NULL;

	ck_assert_int_eq(kvfs_vmcore_file_create_seg(src, nr, INO, PARENT_INO, &file), 0);
	return file;
}

static uint64_t word_at(struct kvfs_node *file, uint64_t off)
{
	uint64_t word = 1;

	ck_assert_int_eq(file->ops->file->read(file, NULL, &word, sizeof(word), off), sizeof(word));
	return word;
}

static void finish(struct kvfs_node *file)
{
	kvfs_node_put(file);
	kvfs_vmcore_source_put(src);
}

START_TEST(test_core)
{
	struct kvfs_node *file;
	struct kvfs_attr attr;
	enum kvfs_mode mode;
	struct kvfs_err err = { 0 };
	struct kvfs_desc desc;
	struct stat a, b;
	int fd;

	set_up();
	file = kvfs_vmcore_file_create_core(src, INO, PARENT_INO);
	ck_assert_uint_eq(file->ino, INO);
	ck_assert_int_eq(kvfs_node_getattr(file, &attr), 0);
	ck_assert_uint_eq(attr.size, dump->core.size);
	ck_assert_uint_eq(word_at(file, dump->segs[0].off + 8), 0x101008);
	kvfs_node_describe(file, KVFS_MODE_CACHED, &desc);
	ck_assert(!desc.has_paddr && !desc.has_vaddr);
	ck_assert_str_eq(desc.source, kvfs_vmcore_source_name(src));
	/* The dump itself is the backing file, without the module. */
	ck_assert_int_eq(file->ops->file->can_back(file, &mode, &err), 0);
	ck_assert_int_eq(mode, KVFS_MODE_DIRECT);
	fd = file->ops->file->backing(file, &err);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_ne(fd, dump->fd);
	ck_assert(fstat(fd, &a) == 0 && fstat(dump->fd, &b) == 0 && a.st_ino == b.st_ino);
	close(fd);
	finish(file);
}
END_TEST

START_TEST(test_ram)
{
	struct kvfs_node *file;
	enum kvfs_mode mode;
	struct kvfs_err err = { 0 };
	struct kvfs_desc desc;
	struct kvfs_attr attr;
	uint64_t found;

	set_up();
	file = kvfs_vmcore_file_create_ram(src, INO, PARENT_INO);
	ck_assert_int_eq(kvfs_node_getattr(file, &attr), 0);
	ck_assert_uint_eq(attr.size, 0x106000);
	ck_assert_uint_le(attr.data_len, 5 * PAGE);
	ck_assert_uint_eq(word_at(file, 0x104ff8), 0x104ff8);
	ck_assert_uint_eq(word_at(file, 0x105000), 0);
	ck_assert_int_eq(kvfs_node_seek(file, NULL, 0, SEEK_DATA, &found), 0);
	ck_assert_uint_eq(found, 0x100000);
	kvfs_node_describe(file, KVFS_MODE_CACHED, &desc);
	ck_assert(desc.has_paddr && desc.paddr == 0 && !desc.has_vaddr);
	unit_assert_error(file->ops->file->can_back(file, &mode, &err), ENODEV, err, NO_MODULE);
	has_module = true;
	ck_assert_int_eq(file->ops->file->can_back(file, &mode, &err), 0);
	close(file->ops->file->backing(file, &err));
	ck_assert_str_eq(window, "vmcore-ram");
	finish(file);
}
END_TEST

START_TEST(test_seg)
{
	struct kvfs_node *image, *ram;
	struct kvfs_desc desc;
	struct kvfs_attr attr;
	struct kvfs_err err;
	int ret;

	set_up();
	image = make_seg(0);
	ram = NULL;
	failalloc_try_all(ret, ret = kvfs_vmcore_file_create_seg(src, 1, INO, PARENT_INO, &ram));
	ck_assert_int_eq(kvfs_node_getattr(image, &attr), 0);
	ck_assert_uint_eq(attr.size, 0x2000);
	ck_assert_uint_eq(word_at(image, 8), 0x101008);
	ck_assert_int_eq(kvfs_node_getattr(ram, &attr), 0);
	ck_assert_uint_eq(attr.size, 0x6000);
	ck_assert_uint_eq(word_at(ram, 0x5ff8), 0);
	kvfs_node_describe(image, KVFS_MODE_CACHED, &desc);
	ck_assert(desc.has_paddr && desc.paddr == 0x101000);
	ck_assert(desc.has_vaddr && desc.vaddr == 0xffffffff81000000);
	kvfs_node_describe(ram, KVFS_MODE_CACHED, &desc);
	ck_assert(desc.has_paddr && desc.paddr == 0x100000 && !desc.has_vaddr);
	close(ram->ops->file->backing(ram, &err));
	ck_assert_str_eq(window, "vmcore-seg");
	kvfs_node_put(image);
	finish(ram);
}
END_TEST

/* Only a dump that does not change may be kept in the page cache. */
START_TEST(test_unchanging)
{
	struct kvfs_node *file;

	set_up();
	file = make_seg(0);
	ck_assert(file->ops->file->unchanging);
	kvfs_node_put(file);
	dump->unchanging = false;
	file = make_seg(0);
	ck_assert(!file->ops->file->unchanging);
	finish(file);
}
END_TEST

/* FUSE takes no file of procfs, and a compressed dump has no bytes to be mapped. */
START_TEST(test_cannot_back)
{
	struct kvfs_node *file;
	enum kvfs_mode mode;
	struct kvfs_err err = { 0 };
	int fd;

	set_up();
	file = kvfs_vmcore_file_create_core(src, INO, PARENT_INO);
	dump->is_proc = true;
	unit_assert_error(file->ops->file->can_back(file, &mode, &err), ENODEV, err, NO_MODULE);
	close(file->ops->file->backing(file, &err));
	ck_assert_str_eq(window, "vmcore-core");
	fd = dump->fd;
	dump->fd = -1;
	unit_assert_error(file->ops->file->can_back(file, &mode, &err), EOPNOTSUPP, err, "compressed");
	dump->fd = fd;
	finish(file);
}
END_TEST

UNIT_MAIN("vmcore/file", test_core, test_ram, test_seg, test_unchanging, test_cannot_back)
