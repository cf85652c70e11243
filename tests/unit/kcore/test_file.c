// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/file.h"

#include <errno.h>
#include <fcntl.h>

#include "kcore_fixture.h"

#define INO 4711

/* Plays a machine without /proc/kcore: all comes from the module. */
static bool only_module;
static int views;
static uint64_t view_size;

bool __wrap_kvfs_kcore_source_has_file(const struct kvfs_kcore_source *src);
bool __real_kvfs_kcore_source_has_file(const struct kvfs_kcore_source *src);
int __wrap_kvfs_kcore_source_create_view(struct kvfs_kcore_source *src, const char *name,
					 const struct kvfs_extents *table, struct kvfs_err *err);

bool __wrap_kvfs_kcore_source_has_file(const struct kvfs_kcore_source *src)
{
	return !only_module && __real_kvfs_kcore_source_has_file(src);
}

int __wrap_kvfs_kcore_source_create_view(struct kvfs_kcore_source *src, const char *name,
					 const struct kvfs_extents *table, struct kvfs_err *err)
{
	static const char bytes[] = "bytes of the module's view";

	if (!only_module)
		return kvfs_err_set(err, EOPNOTSUPP, "no view");
	views++;
	view_size = table->size;
	return unit_file(bytes, sizeof(bytes));
}

static struct fixture f;
static struct kvfs_kcore_source *src;

static void set_up(void)
{
	fixture_init(&f, FIXTURE, FIXTURE_SYMS);
	src = fixture_source(&f);
}

static void tear_down(void)
{
	kvfs_kcore_source_put(src);
	fixture_deinit(&f);
}

static struct kvfs_node *make(enum kvfs_kcore_source_file which)
{
	struct kvfs_node *file = kvfs_kcore_file_create(src, which, INO, 1);

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(file->ino, INO);
	return file;
}

static uint64_t size_of(struct kvfs_node *file)
{
	struct kvfs_attr attr;

	ck_assert_int_eq(kvfs_node_getattr(file, &attr), 0);
	return attr.size;
}

static void *open_file(struct kvfs_node *file)
{
	void *handle;

	ck_assert_int_eq(kvfs_node_open(file, &handle), 0);
	return handle;
}

START_TEST(contents)
{
	static const struct { enum kvfs_kcore_source_file which; uint64_t size, off, word; } cases[] = {
		{ KVFS_KCORE_SOURCE_RAM, RAM_END, 0x1000, 0x1000 },
		{ KVFS_KCORE_SOURCE_RAM, RAM_END, 0x1000000, 0 },
		{ KVFS_KCORE_SOURCE_TEXT, IMAGE_LEN, 0x38, IMAGE_PADDR + 0x38 },
		{ KVFS_KCORE_SOURCE_CORE, (1 << 30) + RAM_END, (1 << 30) + 0x1008, 0x1008 },
		{ KVFS_KCORE_SOURCE_CORE, (1 << 30) + RAM_END, 2 << 20, IMAGE_PADDR },
	};

	set_up();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kvfs_node *file = make(cases[i].which);
		void *handle = open_file(file);
		uint64_t data;

		ck_assert_uint_eq(size_of(file), cases[i].size);
		ck_assert_uint_eq(fixture_word(file, cases[i].off), cases[i].word);
		ck_assert_int_eq((int)file->ops->file->read(file, handle, &data, 8, cases[i].size), 0);
		ck_assert_int_eq(kvfs_node_seek(file, handle, cases[i].size, SEEK_DATA, &data), -ENXIO);
		kvfs_node_release(file, handle);
		kvfs_node_put(file);
	}
	tear_down();
}
END_TEST

START_TEST(holes)
{
	struct kvfs_node *file;
	uint64_t off;
	void *handle;

	set_up();
	file = make(KVFS_KCORE_SOURCE_RAM);
	handle = open_file(file);
	ck_assert_uint_eq(fixture_word(file, 0), 0);
	ck_assert_int_eq(kvfs_node_seek(file, handle, 0, SEEK_DATA, &off), 0);
	ck_assert_uint_eq(off, 0x1000);
	ck_assert_int_eq(kvfs_node_seek(file, handle, 0x1000, SEEK_HOLE, &off), 0);
	ck_assert_uint_eq(off, 0xa0000);
	kvfs_node_release(file, handle);
	kvfs_node_put(file);
	tear_down();
}
END_TEST

/* From the first open to the last release a file stays what it was. */
START_TEST(open_files_keep_their_layout)
{
	static const char grown[] =
		"elf\n" FIXTURE_IMAGE "load vaddr=0xffff888000100000 paddr=0x100000 memsz=63M\n";
	struct kvfs_node *file;
	void *first, *second;

	set_up();
	file = make(KVFS_KCORE_SOURCE_RAM);
	ck_assert_uint_eq(size_of(file), RAM_END);
	first = open_file(file);
	fixture_write_kcore(&f, grown);
	ck_assert_uint_eq(size_of(file), RAM_END);
	second = open_file(file);
	kvfs_node_release(file, first);
	ck_assert_uint_eq(size_of(file), RAM_END);
	kvfs_node_release(file, second);
	/* The next open follows the file, and stat(2) what was read last. */
	first = open_file(file);
	ck_assert_uint_eq(size_of(file), 64 << 20);
	kvfs_node_release(file, first);
	ck_assert_uint_eq(size_of(file), 64 << 20);
	/* A source that went bad is an error of open. */
	fixture_write_kcore(&f, "elf type=3\n");
	ck_assert_int_eq(kvfs_node_open(file, &first), -ENOEXEC);
	fixture_write_kcore(&f, "elf\nload vaddr=0xffffc90000000000 memsz=64K\n");
	ck_assert_int_eq(kvfs_node_open(file, &first), -ENODATA);	/* without RAM */
	kvfs_node_put(file);
	tear_down();
}
END_TEST

START_TEST(symbols)
{
	struct kvfs_node *file;
	struct kvfs_desc desc;
	void *handle;

	set_up();
	file = kvfs_kcore_file_create_sym(src, IMAGE_VADDR + 0x40, 0x40, INO, 1);
	ck_assert_uint_eq(size_of(file), 0x40);
	handle = open_file(file);
	ck_assert_uint_eq(fixture_word(file, 8), IMAGE_PADDR + 0x48);
	kvfs_node_describe(file, KVFS_MODE_COPY, &desc);
	ck_assert(desc.has_vaddr && desc.has_paddr);
	ck_assert_uint_eq(desc.vaddr, IMAGE_VADDR + 0x40);
	ck_assert_uint_eq(desc.paddr, IMAGE_PADDR + 0x40);
	kvfs_node_release(file, handle);
	kvfs_node_put(file);
	file = kvfs_kcore_file_create_sym(src, IMAGE_VADDR + IMAGE_LEN, 8, INO, 1);
	ck_assert_int_eq(kvfs_node_open(file, &handle), -ENXIO);
	kvfs_node_put(file);
	tear_down();
}
END_TEST

START_TEST(descriptions)
{
	struct kvfs_node *file;
	struct kvfs_desc desc;

	set_up();
	file = make(KVFS_KCORE_SOURCE_RAM);
	kvfs_node_describe(file, KVFS_MODE_COPY, &desc);
	ck_assert(desc.has_vaddr && desc.has_paddr);
	ck_assert_uint_eq(desc.vaddr, DIRECT_MAP);
	ck_assert_uint_eq(desc.paddr, 0);
	ck_assert_str_eq(desc.source, f.kcore);
	kvfs_node_describe(file, KVFS_MODE_DIRECT, &desc);
	ck_assert_str_eq(desc.source, "kview module");
	kvfs_node_put(file);
	file = make(KVFS_KCORE_SOURCE_TEXT);
	kvfs_node_describe(file, KVFS_MODE_COPY, &desc);
	ck_assert_uint_eq(desc.vaddr, IMAGE_VADDR);
	ck_assert_uint_eq(desc.paddr, IMAGE_PADDR);
	kvfs_node_put(file);
	file = make(KVFS_KCORE_SOURCE_CORE);
	kvfs_node_describe(file, KVFS_MODE_COPY, &desc);
	ck_assert(!desc.has_vaddr && !desc.has_paddr);
	kvfs_node_put(file);
	tear_down();
}
END_TEST

START_TEST(without_a_module)
{
	struct kvfs_err err = { 0 };
	struct kvfs_node *file;
	enum kvfs_mode mode;
	void *handle;

	set_up();
	file = make(KVFS_KCORE_SOURCE_TEXT);
	unit_assert_error(file->ops->file->can_back(file, &mode, &err), EOPNOTSUPP, err, "are copied");
	handle = open_file(file);
	unit_assert_error(file->ops->file->backing(file, &err), EOPNOTSUPP, err, "no view");
	kvfs_node_release(file, handle);
	kvfs_node_put(file);
	tear_down();
}
END_TEST

/* Without a file to copy from, the first open makes the view that reads and backing share. */
START_TEST(with_nothing_but_the_module)
{
	struct kvfs_err err = { 0 };
	struct kvfs_node *file;
	void *handle, *again;
	char buf[5];
	int fd;

	set_up();
	only_module = true;
	file = make(KVFS_KCORE_SOURCE_TEXT);
	handle = open_file(file);
	again = open_file(file);
	ck_assert_int_eq(views, 1);
	ck_assert_uint_eq(view_size, IMAGE_LEN);
	ck_assert_int_eq((int)file->ops->file->read(file, handle, buf, 5, 0), 5);
	ck_assert_mem_eq(buf, "bytes", 5);
	fd = file->ops->file->backing(file, &err);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
	ck_assert_int_eq(views, 1);
	kvfs_node_release(file, handle);
	kvfs_node_release(file, again);
	handle = open_file(file);
	ck_assert_int_eq(views, 2);
	/* A file that is open when the tree ends is never released. */
	kvfs_node_put(file);
	tear_down();
}
END_TEST

UNIT_MAIN("file", contents, holes, open_files_keep_their_layout, symbols, descriptions,
	  without_a_module, with_nothing_but_the_module)
