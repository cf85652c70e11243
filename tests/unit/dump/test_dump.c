// SPDX-License-Identifier: GPL-2.0-only
#include "dump/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "failalloc.h"
#include "unit.h"

#define PAGE 4096
#define ELF_BYTES "\177ELF and so on"
#define KDUMP_BYTES "KDUMP   and so on"

/* Stands in for both providers: a space in which each byte is its page number, 100 to 109 bad. */
static struct {
	const char *provider;	/* that was asked, or NULL */
	char bytes[2][32];	/* of the first two files */
	uint64_t file_len;
	size_t nr_files;
	int ret;		/* what is to come of it */
	bool destroyed;
} asked;

static int space_read(struct kvfs_dump *dump, void *buf, size_t len, uint64_t off)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t page = (off + i) / PAGE;

		if (page >= 100 && page < 110)
			return -EIO;
		((unsigned char *)buf)[i] = (unsigned char)page;
	}
	return 0;
}

/* Every fourth page is left out. */
static uint64_t space_seek(struct kvfs_dump *dump, uint64_t off, uint64_t end, int whence)
{
	while (off < end && (off / PAGE % 4 == 3) != (whence == SEEK_HOLE))
		off = (off / PAGE + 1) * PAGE;
	return off < end ? off : end;
}

static uint64_t space_data_len(struct kvfs_dump *dump, const struct kvfs_extents *t)
{
	return kvfs_extents_data_len(t);
}

static void space_destroy(struct kvfs_dump *dump)
{
	asked.destroyed = true;
	if (dump->fd >= 0)
		close(dump->fd);
	free(dump);
}

static const struct kvfs_dump_ops space_ops = {
	.read = space_read,
	.seek = space_seek,
	.data_len = space_data_len,
	.destroy = space_destroy,
};

static struct kvfs_dump *new_dump(void)
{
	struct kvfs_dump *dump = calloc(1, sizeof(*dump));

	ck_assert_ptr_nonnull(dump);
	dump->ops = &space_ops;
	dump->format = "test";
	dump->fd = -1;
	return dump;
}

static int answer(const char *provider, const int *fds, size_t nr, struct kvfs_dump **out,
		  struct kvfs_err *err)
{
	asked.provider = provider;
	asked.nr_files = nr;
	for (size_t i = 0; i < nr && i < 2; i++)
		ck_assert_int_ge(pread(fds[i], asked.bytes[i], sizeof(asked.bytes[i]) - 1, 0), 0);
	if (asked.ret < 0)
		return kvfs_err_set(err, -asked.ret, "the provider says no");
	*out = new_dump();
	(*out)->fd = fds[0];
	for (size_t i = 1; i < nr; i++)
		close(fds[i]);
	return 0;
}

int kvfs_dump_elf_open(int fd, const char *name, uint64_t file_len, struct kvfs_dump **out,
		       struct kvfs_err *err)
{
	asked.file_len = file_len;
	return answer("elf", &fd, 1, out, err);
}

int kvfs_dump_kdump_open(const int *fds, const struct kvfs_dump_config *config,
			 struct kvfs_dump **out, struct kvfs_err *err)
{
	return answer("kdump", fds, config->nr_files, out, err);
}

/* Opens files with these bytes; the names are those of memory files. */
static int open_files(const char *const *bytes, const size_t *lens, size_t nr, struct kvfs_dump **out,
		      struct kvfs_err *err)
{
	char names[2][64];
	const char *files[2] = { names[0], names[1] };
	const struct kvfs_dump_config config = { .files = files, .nr_files = nr, .tmpdir = "/tmp" };
	int fds[2], ret;

	memset(err, 0, sizeof(*err));
	*out = NULL;
	for (size_t i = 0; i < nr; i++) {
		fds[i] = unit_file(bytes[i], lens[i]);
		snprintf(names[i], sizeof(names[i]), "%s", unit_path(fds[i]));
	}
	ret = kvfs_dump_open(&config, out, err);
	for (size_t i = 0; i < nr; i++)
		close(fds[i]);
	return ret;
}

static int open_one(const char *bytes, size_t len, struct kvfs_dump **out, struct kvfs_err *err)
{
	return open_files(&bytes, &len, 1, out, err);
}

static int lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

START_TEST(test_formats)
{
	static const char *const set[] = { KDUMP_BYTES " 1", KDUMP_BYTES " 2" };
	const size_t lens[] = { strlen(set[0]), strlen(set[1]) };
	int first = lowest_fd();
	struct kvfs_dump *dump;
	struct kvfs_err err;

	ck_assert_int_eq(open_one(ELF_BYTES, sizeof(ELF_BYTES), &dump, &err), 0);
	ck_assert_str_eq(asked.provider, "elf");
	ck_assert_str_eq(asked.bytes[0], ELF_BYTES);
	ck_assert_uint_eq(asked.file_len, sizeof(ELF_BYTES));
	ck_assert(!dump->is_proc && dump->missing.errnum == 0);
	kvfs_dump_close(dump);
	ck_assert(asked.destroyed);

	ck_assert_int_eq(open_one(KDUMP_BYTES, sizeof(KDUMP_BYTES), &dump, &err), 0);
	ck_assert_str_eq(asked.provider, "kdump");
	kvfs_dump_close(dump);

	ck_assert_int_eq(open_files(set, lens, 2, &dump, &err), 0);
	ck_assert_uint_eq(asked.nr_files, 2);
	ck_assert_str_eq(asked.bytes[0], set[0]);
	ck_assert_str_eq(asked.bytes[1], set[1]);
	kvfs_dump_close(dump);
	ck_assert_int_eq(lowest_fd(), first);
	kvfs_dump_close(NULL);
}
END_TEST

/* makedumpfile's stream: a head of 4 KiB, then pieces with their place and length. */
static size_t flatten(char *flat, const char *bytes, size_t len, bool ends)
{
	const unsigned char piece[16] = { [15] = (unsigned char)len };

	memset(flat, 0, 2 * PAGE);
	strcpy(flat, "makedumpfile");
	flat[23] = flat[31] = 1;
	memcpy(flat + PAGE, piece, sizeof(piece));
	memcpy(flat + PAGE + 16, bytes, len);
	memset(flat + PAGE + 16 + len, 0xff, 16);
	return PAGE + 16 + len + (ends ? 16 : 0);
}

START_TEST(test_flattened)
{
	static char flat[2 * PAGE];
	struct kvfs_dump *dump;
	struct kvfs_err err;
	size_t len;

	len = flatten(flat, KDUMP_BYTES, sizeof(KDUMP_BYTES), true);
	ck_assert_int_eq(open_one(flat, len, &dump, &err), 0);
	ck_assert_str_eq(asked.provider, "kdump");
	ck_assert_str_eq(asked.bytes[0], KDUMP_BYTES);
	ck_assert_int_eq(dump->missing.errnum, 0);
	kvfs_dump_close(dump);

	len = flatten(flat, ELF_BYTES, sizeof(ELF_BYTES), false);
	ck_assert_int_eq(open_one(flat, len, &dump, &err), 0);
	ck_assert_str_eq(asked.provider, "elf");
	ck_assert_uint_eq(asked.file_len, sizeof(ELF_BYTES));
	ck_assert_msg(strstr(dump->missing.msg, "breaks off"), "%s", dump->missing.msg);
	kvfs_dump_close(dump);

	len = flatten(flat, "neither", 7, true);
	unit_assert_error(open_one(flat, len, &dump, &err), ENOEXEC, err, "neither an ELF core nor");
	memset(flat + PAGE, 0x7f, 16);
	unit_assert_error(open_one(flat, len, &dump, &err), EBADMSG, err, "claims");
}
END_TEST

START_TEST(test_no_room_to_unfold)
{
	static char flat[2 * PAGE];
	size_t len = flatten(flat, KDUMP_BYTES, sizeof(KDUMP_BYTES), true);
	_cleanup_close_ int fd = unit_file(flat, len);
	const char *name = unit_path(fd);
	const struct kvfs_dump_config config = { .files = &name, .nr_files = 1, .tmpdir = "/no/such/folder" };
	struct kvfs_dump *dump;
	struct kvfs_err err = { 0 };

	unit_assert_error(kvfs_dump_open(&config, &dump, &err), ENOENT, err, "/no/such/folder");
}
END_TEST

static int open_name(const char *name, struct kvfs_err *err)
{
	const struct kvfs_dump_config config = { .files = &name, .nr_files = 1, .tmpdir = "/tmp" };
	struct kvfs_dump *dump;

	memset(err, 0, sizeof(*err));
	return kvfs_dump_open(&config, &dump, err);
}

START_TEST(test_refused)
{
	static const char *const mixed[] = { KDUMP_BYTES, ELF_BYTES };
	const size_t lens[] = { sizeof(KDUMP_BYTES), sizeof(ELF_BYTES) };
	char fifo[] = "/tmp/kviewfs-unit-XXXXXX", path[64];
	int first = lowest_fd();
	struct kvfs_dump_config config = { .nr_files = 0 };
	struct kvfs_dump *dump;
	struct kvfs_err err = { 0 };

	unit_assert_error(kvfs_dump_open(&config, &dump, &err), EINVAL, err, "0 files");
	config.nr_files = 257;
	unit_assert_error(kvfs_dump_open(&config, &dump, &err), EINVAL, err, "257 files");
	unit_assert_error(open_name("/no/such/dump", &err), ENOENT, err, "cannot open /no/such/dump");
	unit_assert_error(open_name("/", &err), EISDIR, err, "/ is not a regular file");
	unit_assert_error(open_one("", 0, &dump, &err), ENOEXEC, err, "neither");
	unit_assert_error(open_one("KDUMP", 5, &dump, &err), ENOEXEC, err, "neither");
	unit_assert_error(open_files(mixed, lens, 2, &dump, &err), EINVAL, err, "never one of a set");
	/* A FIFO that nobody writes to is no reason to wait. */
	ck_assert_ptr_nonnull(mkdtemp(fifo));
	snprintf(path, sizeof(path), "%s/fifo", fifo);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	unit_assert_error(open_name(path, &err), EINVAL, err, "not a regular file");
	unlink(path);
	rmdir(fifo);
	asked.ret = -EBADMSG;
	unit_assert_error(open_one(ELF_BYTES, sizeof(ELF_BYTES), &dump, &err), EBADMSG, err, "says no");
	unit_assert_error(open_one(KDUMP_BYTES, sizeof(KDUMP_BYTES), &dump, &err), EBADMSG, err, "says no");
	ck_assert_int_eq(lowest_fd(), first);
}
END_TEST

/* The image in RAM, RAM in two pieces of which the lower comes last, one without bytes. */
static void give_segments(struct kvfs_dump *dump)
{
	static const struct kvfs_segment segs[] = {
		{ .off = 0x10000, .len = 2 * PAGE, .memsz = 2 * PAGE, .paddr = 0x5000 },
		{ .off = 0x20000, .len = 4 * PAGE, .memsz = 5 * PAGE, .paddr = 0x4000 },
		{ .off = 0x30000, .len = 0, .memsz = PAGE, .paddr = 0xa000 },
		{ .off = 0x40000, .len = PAGE, .memsz = PAGE, .paddr = 0x1000 },
		{ .off = 0x50000, .len = PAGE, .memsz = PAGE, .paddr = UINT64_MAX },
		{ .off = 0x60000, .len = PAGE, .memsz = PAGE, .paddr = 0x7ffffffffffff000 },
	};

	dump->nr_segs = sizeof(segs) / sizeof(segs[0]);
	dump->segs = malloc(sizeof(segs));
	ck_assert_ptr_nonnull(dump->segs);
	memcpy(dump->segs, segs, sizeof(segs));
}

static int ram_byte(struct kvfs_dump *dump, uint64_t paddr)
{
	unsigned char byte = 0xee;

	ck_assert_int_eq(kvfs_dump_read_phys(dump, &byte, 1, paddr), 0);
	return byte;
}

START_TEST(test_ram)
{
	struct kvfs_dump *dump = new_dump();
	int ret;

	give_segments(dump);
	failalloc_try_all(ret, ({
		kvfs_extents_deinit(&dump->ram);
		ret = kvfs_dump_make_ram(dump, false);
	}));
	ck_assert_uint_eq(dump->ram.size, 0xb000);
	ck_assert_uint_eq(dump->ram.n, 2);
	ck_assert_int_eq(ram_byte(dump, 0), 0);
	ck_assert_int_eq(ram_byte(dump, 0x1000), 0x40);
	ck_assert_int_eq(ram_byte(dump, 0x2000), 0);
	ck_assert_int_eq(ram_byte(dump, 0x5000), 0x21);
	ck_assert_int_eq(ram_byte(dump, 0x7fff), 0x23);
	ck_assert_int_eq(ram_byte(dump, 0x8000), 0);
	ck_assert_int_eq(ram_byte(dump, 0xffff000), 0);
	kvfs_extents_deinit(&dump->ram);
	ck_assert_int_eq(kvfs_dump_make_ram(dump, true), 0);
	ck_assert_int_eq(ram_byte(dump, 0x5000), 5);
	kvfs_dump_close(dump);
}
END_TEST

START_TEST(test_seg_tables)
{
	struct kvfs_dump *dump = new_dump();
	struct kvfs_extents t;
	int ret;

	give_segments(dump);
	failalloc_try_all(ret, ret = kvfs_dump_seg_table(dump, 1, &t));
	ck_assert_uint_eq(t.size, 5 * PAGE);
	ck_assert_uint_eq(t.v[0].file_off, 0x4000);	/* without a file the space is physical */
	kvfs_extents_deinit(&t);
	dump->fd = unit_file(NULL, 0);
	ck_assert_int_eq(kvfs_dump_seg_table(dump, 1, &t), 0);
	ck_assert_uint_eq(t.v[0].file_off, 0x20000);
	ck_assert_uint_eq(t.v[0].len, 4 * PAGE);
	kvfs_extents_deinit(&t);
	ck_assert_int_eq(kvfs_dump_seg_table(dump, 2, &t), 0);
	ck_assert_uint_eq(t.n, 0);
	ck_assert_uint_eq(t.size, PAGE);
	kvfs_extents_deinit(&t);
	kvfs_dump_close(dump);
}
END_TEST

/* A page of bytes made up, then pages 8 to 71 of the space as 64 extents with holes between. */
static void make_table(struct kvfs_extents *t, const char *blob)
{
	struct kvfs_extent e = { .len = PAGE, .kind = KVFS_EXTENT_BLOB, .blob = blob };

	*t = (struct kvfs_extents) { 0 };
	ck_assert_int_eq(kvfs_extents_add(t, &e), 0);
	e.kind = KVFS_EXTENT_FILE;
	for (uint64_t i = 0; i < 64; i++) {
		e.off = (2 * i + 1) * PAGE;
		e.file_off = (8 + i) * PAGE;
		ck_assert_int_eq(kvfs_extents_add(t, &e), 0);
	}
	t->size = 130 * PAGE;
}

START_TEST(test_read)
{
	static unsigned char buf[131 * PAGE];
	struct kvfs_dump *dump = new_dump();
	char blob[PAGE];
	struct kvfs_extents t;

	memset(blob, 0xbb, sizeof(blob));
	make_table(&t, blob);
	memset(buf, 0xee, sizeof(buf));
	ck_assert_int_eq(kvfs_dump_read(dump, &t, buf, sizeof(buf), 0), 130 * PAGE);
	for (size_t i = 0; i < 130; i++) {
		unsigned int want = i == 0 ? 0xbb : i % 2 == 0 || i > 127 ? 0 : (unsigned int)(8 + i / 2);

		ck_assert_uint_eq(buf[i * PAGE], want);
		ck_assert_uint_eq(buf[i * PAGE + PAGE - 1], want);
	}
	ck_assert_uint_eq(buf[130 * PAGE], 0xee);
	ck_assert_int_eq(kvfs_dump_read(dump, &t, buf, 2, PAGE - 1), 2);
	ck_assert(buf[0] == 0xbb && buf[1] == 8);
	ck_assert_int_eq(kvfs_dump_read(dump, &t, buf, 1, 130 * PAGE), 0);
	ck_assert_int_eq(kvfs_dump_read(dump, &t, buf, 1, UINT64_MAX), 0);
	kvfs_extents_deinit(&t);
	kvfs_dump_close(dump);
}
END_TEST

/* An error behind good bytes is an error of the read: nobody takes it for the end. */
START_TEST(test_read_error)
{
	const struct kvfs_extent e = { .len = 20 * PAGE, .kind = KVFS_EXTENT_FILE, .file_off = 95 * PAGE };
	struct kvfs_dump *dump = new_dump();
	unsigned char buf[PAGE];

	ck_assert_int_eq(kvfs_extents_add(&dump->ram, &e), 0);
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->ram, buf, 1, 5 * PAGE - 1), 1);
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->ram, buf, 2, 5 * PAGE - 1), -EIO);
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->ram, buf, PAGE, 15 * PAGE), PAGE);
	ck_assert_int_eq(kvfs_dump_read_phys(dump, buf, 1, 5 * PAGE), -EIO);
	kvfs_dump_close(dump);
}
END_TEST

/* A table's own holes and what is left out of an extent are both holes. */
START_TEST(test_seek)
{
	static const struct { uint64_t off; int whence; uint64_t want; } steps[] = {
		{ 0, SEEK_DATA, 0 }, { 0, SEEK_HOLE, 2 * PAGE },	/* page 0, then page 8 of the space */
		{ 2 * PAGE, SEEK_DATA, 3 * PAGE }, { 3 * PAGE + 5, SEEK_HOLE, 4 * PAGE },
		{ 6 * PAGE, SEEK_DATA, 9 * PAGE },	/* page 11 of the space is left out */
		{ 7 * PAGE + 1, SEEK_HOLE, 7 * PAGE + 1 },
		{ 124 * PAGE, SEEK_DATA, 125 * PAGE }, { 128 * PAGE, SEEK_HOLE, 128 * PAGE },
	};
	struct kvfs_dump *dump = new_dump();
	char blob[PAGE] = "";
	struct kvfs_extents t;
	uint64_t found;

	make_table(&t, blob);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ck_assert_int_eq(kvfs_dump_seek(dump, &t, steps[i].off, steps[i].whence, &found), 0);
		ck_assert_msg(found == steps[i].want, "step %zu: %#lx", i, found);
	}
	ck_assert_int_eq(kvfs_dump_seek(dump, &t, 127 * PAGE, SEEK_DATA, &found), -ENXIO);
	ck_assert_int_eq(kvfs_dump_seek(dump, &t, 130 * PAGE, SEEK_HOLE, &found), -ENXIO);
	ck_assert_int_eq(kvfs_dump_seek(dump, &t, 0, SEEK_SET, &found), -EINVAL);
	kvfs_extents_deinit(&t);
	kvfs_dump_close(dump);
}
END_TEST

UNIT_MAIN("dump", test_formats, test_flattened, test_no_room_to_unfold, test_refused, test_ram, test_seg_tables,
	  test_read, test_read_error, test_seek)
