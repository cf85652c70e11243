// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "dump/kdump_lib.h"
#include "dump/zstd.h"
#include "failalloc.h"
#include "failpread.h"
#include "kdump_builder.h"
#include "unit.h"

#define PAGE 4096
#define NR_PAGES 200

/* Stands in for libkdumpfile: pages hold their addresses, except one that does not decompress. */
static struct {
	int ret;		/* of open */
	size_t nr_files;	/* that it was opened with */
	uint64_t damaged;	/* PFN of a page that cannot be decompressed; 0: none */
	int result;		/* of reading it */
	uint64_t asked_for_damaged;
	pthread_mutex_t lock;
} lib = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct kvfs_kdump_lib {
	uint32_t page_size;
};

int kvfs_kdump_lib_open(const int *fds, size_t nr, uint32_t page_size, struct kvfs_kdump_lib **out,
			struct kvfs_err *err)
{
	if (lib.ret < 0)
		return kvfs_err_set(err, -lib.ret, "the library says no");
	*out = malloc(sizeof(**out));
	if (!*out)
		return kvfs_err_sys(err, ENOMEM, "library");
	(*out)->page_size = page_size;
	lib.nr_files = nr;
	return 0;
}

void kvfs_kdump_lib_close(struct kvfs_kdump_lib *l)
{
	free(l);
}

int kvfs_kdump_lib_read(struct kvfs_kdump_lib *l, void *buf, size_t len, uint64_t paddr, size_t *done)
{
	for (*done = 0; *done < len; *done += l->page_size) {
		uint64_t pfn = (paddr + *done) / l->page_size;

		if (lib.damaged && pfn == lib.damaged) {
			pthread_mutex_lock(&lib.lock);
			lib.asked_for_damaged++;
			pthread_mutex_unlock(&lib.lock);
			return lib.result;
		}
		kdump_page(pfn, l->page_size, (char *)buf + *done);
	}
	return 0;
}

/* Stands in for zstd: pages are stored as they are, except the one that does not decompress. */
struct kvfs_zstd {
	char unused;
};

int kvfs_zstd_create(struct kvfs_zstd **out)
{
	*out = malloc(sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void kvfs_zstd_destroy(struct kvfs_zstd *z)
{
	free(z);
}

int kvfs_zstd_decompress(struct kvfs_zstd *z, const void *src, size_t len, void *dst, size_t page_len)
{
	uint64_t paddr;

	memcpy(&paddr, src, sizeof(paddr));
	memcpy(dst, src, len);
	return lib.damaged && paddr / page_len == lib.damaged ? lib.result : 0;
}

static struct kdump_file file;
static char pages[NR_PAGES + 1];
static int last_fds[2];

/* All dumped in one way or another, except a hole in RAM and some that are left out. */
static void make_pages(void)
{
	for (size_t i = 0; i < NR_PAGES; i++)
		pages[i] = i % 50 < 40 ? 'L' : "DZDDLZZDLL"[i % 10];
	memset(pages + 100, '.', 20);
	memset(pages + 20, 'x', 10);
	pages[64] = pages[160] = 'x';
	lib.ret = 0;
	lib.damaged = 0;
	lib.result = -EBADMSG;
}

static int open_files(const int *fds, size_t nr, struct kvfs_dump **out, struct kvfs_err *err)
{
	static const char *const names[] = { "first", "second" };
	const struct kvfs_dump_config config = {
		.files = names, .nr_files = nr, .cache_len = 1024 * 1024, .threads = 2,
	};

	struct kvfs_dump_file parts[2] = { { .name = names[0] }, { .name = names[1] } };
	int ret;

	memset(err, 0, sizeof(*err));
	*out = NULL;
	for (size_t i = 0; i < nr; i++)
		parts[i].fd = fds[i];
	ret = kvfs_dump_kdump.open(parts, nr, &config, out, err);
	/* No assertion that holds may allocate here: test_out_of_memory. */
	for (size_t i = 0; i < nr; i++)
		if (parts[i].fd != (ret < 0 ? fds[i] : -1))
			ck_abort_msg("descriptor %zu is %d", i, parts[i].fd);
	return ret;
}

static struct kvfs_dump *open_spec(const struct kdump_spec *spec)
{
	struct kvfs_dump *dump;
	struct kvfs_err err;

	kdump_build(&file, spec);
	last_fds[0] = unit_file(file.bytes, file.len);
	ck_assert_msg(open_files(last_fds, 1, &dump, &err) == 0, "%s", err.msg);
	return dump;
}

/* Each page of a dump by physical address: its own, zeros, or the error. */
static void check_pages(struct kvfs_dump *dump, size_t page_size, uint64_t bad)
{
	static _Thread_local unsigned char got[65536], want[65536];

	for (uint64_t pfn = 0; pages[pfn]; pfn++) {
		if (bad && pfn == bad) {
			ck_assert_int_eq(kvfs_dump_read_phys(dump, got, page_size, pfn * page_size), -EIO);
			continue;
		}
		ck_assert_int_eq(kvfs_dump_read_phys(dump, got, page_size, pfn * page_size), 0);
		memset(want, 0, page_size);
		if (kdump_has(pages[pfn]))
			kdump_page(pfn, page_size, want);
		ck_assert_msg(memcmp(got, want, page_size) == 0, "page %lu", pfn);
	}
}

static uint64_t word_at(struct kvfs_dump *dump, uint64_t paddr)
{
	uint64_t word = 1;

	ck_assert_int_eq(kvfs_dump_read_phys(dump, &word, sizeof(word), paddr), 0);
	return word;
}

START_TEST(test_probe)
{
	struct kvfs_dump_file probed = { .name = "dump", .fd = -1, .head = "KDUMP   " };
	struct kvfs_err err;

	ck_assert_int_eq(kvfs_dump_kdump.probe(&probed, &err), 1);
	probed.head[7] = 'x';
	ck_assert_int_eq(kvfs_dump_kdump.probe(&probed, &err), 0);
	ck_assert(kvfs_dump_kdump.can_split);
}
END_TEST

START_TEST(test_pages)
{
	const struct kdump_spec spec = { .pages = pages };
	struct kvfs_dump *dump;
	unsigned char byte;

	make_pages();
	dump = open_spec(&spec);
	ck_assert_str_eq(dump->format, "kdump-compressed");
	ck_assert_int_eq(dump->fd, -1);
	ck_assert_int_eq(dump->machine, EM_X86_64);
	ck_assert_uint_eq(dump->ram.size, NR_PAGES * PAGE);
	ck_assert_uint_eq(dump->nr_segs, 2);
	check_pages(dump, PAGE, 0);
	/* Over borders of pages and of what is left out. */
	ck_assert_uint_eq(word_at(dump, 8 * PAGE - 8), 8 * PAGE - 8);
	ck_assert_uint_eq(word_at(dump, 20 * PAGE - 8), 20 * PAGE - 8);
	ck_assert_uint_eq(word_at(dump, 20 * PAGE), 0);
	ck_assert_uint_eq(word_at(dump, 29 * PAGE + 8), 0);
	ck_assert_int_eq(kvfs_dump_read(dump, &dump->ram, &byte, 1, NR_PAGES * PAGE), 0);
	ck_assert_uint_eq(dump->nr_damaged, 0);
	kvfs_dump_close(dump);
	ck_assert_int_eq(fcntl(last_fds[0], F_GETFD), -1);
}
END_TEST

/* Pages as large as a chunk of the cache. */
START_TEST(test_large_pages)
{
	const struct kdump_spec spec = { .pages = pages, .page_size = 65536, .machine = "aarch64" };
	struct kvfs_dump *dump;

	make_pages();
	strcpy(pages, "DZx..LxDZL");
	lib.damaged = 8;
	dump = open_spec(&spec);
	ck_assert_int_eq(dump->machine, EM_AARCH64);
	check_pages(dump, 65536, 8);
	ck_assert_uint_eq(dump->nr_damaged, 1);
	kvfs_dump_close(dump);
}
END_TEST

static uint64_t seek(struct kvfs_dump *dump, uint64_t off, int whence)
{
	uint64_t found;
	int ret = kvfs_dump_seek(dump, &dump->ram, off, whence, &found);

	return ret < 0 ? UINT64_MAX : found;
}

START_TEST(test_holes)
{
	const struct kdump_spec spec = { .pages = pages };
	struct kvfs_dump *dump;

	make_pages();
	dump = open_spec(&spec);
	ck_assert_uint_eq(seek(dump, 5, SEEK_DATA), 5);
	ck_assert_uint_eq(seek(dump, 5, SEEK_HOLE), 20 * PAGE);
	ck_assert_uint_eq(seek(dump, 20 * PAGE + 7, SEEK_HOLE), 20 * PAGE + 7);
	ck_assert_uint_eq(seek(dump, 20 * PAGE + 7, SEEK_DATA), 30 * PAGE);
	ck_assert_uint_eq(seek(dump, 65 * PAGE, SEEK_HOLE), 100 * PAGE);
	ck_assert_uint_eq(seek(dump, 100 * PAGE, SEEK_DATA), 120 * PAGE);
	ck_assert_uint_eq(seek(dump, 161 * PAGE, SEEK_HOLE), NR_PAGES * PAGE);
	ck_assert_uint_eq(seek(dump, NR_PAGES * PAGE, SEEK_DATA), UINT64_MAX);
	ck_assert_uint_eq(dump->ops->data_len(dump, &dump->ram), (NR_PAGES - 20 - 12) * PAGE);
	ck_assert_uint_eq(dump->ops->data_len(dump, &dump->core),
			  (NR_PAGES - 20 - 12) * PAGE + dump->core.v[0].len);
	kvfs_dump_close(dump);
}
END_TEST

/* A damaged page, however it is found, is EIO, and no other is; each counts once. */
START_TEST(test_damaged)
{
	const struct kdump_spec spec = { .pages = pages };
	struct kvfs_dump *dump;
	struct kvfs_err err;
	char buf[3 * PAGE];

	make_pages();
	lib.damaged = 33;
	dump = open_spec(&spec);
	check_pages(dump, PAGE, 33);
	check_pages(dump, PAGE, 33);
	ck_assert_int_eq(kvfs_dump_read_phys(dump, buf, sizeof(buf), 32 * PAGE), -EIO);
	ck_assert_int_eq(kvfs_dump_read_phys(dump, buf, 1, 33 * PAGE + 5), -EIO);
	ck_assert_uint_eq(dump->nr_damaged, 1);
	ck_assert_uint_eq(lib.asked_for_damaged, 1);
	/* It is in the dump, and so no hole. */
	ck_assert_uint_eq(seek(dump, 33 * PAGE, SEEK_DATA), 33 * PAGE);
	kvfs_dump_close(dump);

	/* One that zstd compressed is found without the library. */
	make_pages();
	lib.damaged = 45;
	lib.asked_for_damaged = 0;
	pages[45] = 'Z';
	dump = open_spec(&spec);
	check_pages(dump, PAGE, 45);
	ck_assert_uint_eq(dump->nr_damaged, 1);
	ck_assert_uint_eq(lib.asked_for_damaged, 0);
	kvfs_dump_close(dump);

	/* A descriptor that cannot be true: the library is not asked for the page. */
	make_pages();
	kdump_build(&file, &spec);
	kdump_put32(&file, file.descs_off + 7 * 24 + 8, UINT32_MAX);
	last_fds[0] = unit_file(file.bytes, file.len);
	ck_assert_int_eq(open_files(last_fds, 1, &dump, &err), 0);
	lib.damaged = 7;
	lib.asked_for_damaged = 0;
	check_pages(dump, PAGE, 7);
	ck_assert_uint_eq(dump->nr_damaged, 1);
	ck_assert_uint_eq(lib.asked_for_damaged, 0);
	kvfs_dump_close(dump);
}
END_TEST

/*
 * What the library and zstd return for a page that is not damaged, only unavailable, is an error of
 * that read alone: it is not counted, its neighbours can be read, and the next read tries again.
 */
START_TEST(test_unavailable)
{
	static const int errors[] = { -EIO, -ENOMEM, -EMFILE, -EOPNOTSUPP };
	const struct kdump_spec spec = { .pages = pages };
	char buf[3 * PAGE];

	for (size_t i = 0; i < 2 * sizeof(errors) / sizeof(errors[0]); i++) {
		struct kvfs_dump *dump;
		uint64_t pfn = 33;

		make_pages();
		lib.damaged = pfn;
		lib.result = errors[i / 2];
		if (i % 2)
			pages[pfn] = 'Z';
		dump = open_spec(&spec);
		ck_assert_int_eq(kvfs_dump_read_phys(dump, buf, sizeof(buf), (pfn - 1) * PAGE), lib.result);
		ck_assert_int_eq(kvfs_dump_read_phys(dump, buf, 1, pfn * PAGE), lib.result);
		ck_assert_int_eq(kvfs_dump_read_phys(dump, buf, PAGE, (pfn - 1) * PAGE), 0);
		ck_assert_int_eq(kvfs_dump_read_phys(dump, buf, PAGE, (pfn + 1) * PAGE), 0);
		ck_assert_uint_eq(dump->nr_damaged, 0);
		lib.damaged = 0;
		check_pages(dump, PAGE, 0);
		ck_assert_uint_eq(dump->nr_damaged, 0);
		kvfs_dump_close(dump);
	}
}
END_TEST

/* So it is if the file cannot be read: the bytes of a page, or its descriptor. */
START_TEST(test_unreadable)
{
	static const int errors[] = { EIO, ENOMEM, EMFILE };
	const struct kdump_spec spec = { .pages = pages };
	char buf[PAGE];

	for (size_t i = 0; i < 2 * sizeof(errors) / sizeof(errors[0]); i++) {
		struct kvfs_dump *dump;
		uint64_t pfn = 43, index = 0;

		make_pages();
		memset(pages, 'D', 64);
		for (uint64_t j = 0; j < pfn; j++)
			index += kdump_has(pages[j]);
		dump = open_spec(&spec);
		if (i % 2)
			failpread_at(file.descs_off + index * 24, errors[i / 2]);
		else
			failpread_at(file.data_off + index * PAGE, errors[i / 2]);
		ck_assert_int_eq(kvfs_dump_read_phys(dump, buf, PAGE, pfn * PAGE), -errors[i / 2]);
		ck_assert_int_eq(kvfs_dump_read_phys(dump, buf, PAGE, pfn * PAGE), -errors[i / 2]);
		if (i == 0)	/* EIO of one page leaves its neighbours */
			ck_assert_int_eq(kvfs_dump_read_phys(dump, buf, PAGE, (pfn + 1) * PAGE), 0);
		ck_assert_int_eq(kvfs_dump_read_phys(dump, buf, PAGE, (pfn - 1) * PAGE), 0);
		ck_assert_uint_eq(dump->nr_damaged, 0);
		failpread_off();
		check_pages(dump, PAGE, 0);
		ck_assert_uint_eq(dump->nr_damaged, 0);
		kvfs_dump_close(dump);
	}
}
END_TEST

/* With many readers and chunks that come and go bytes are right, and a damaged page counts once. */
static void *read_all(void *arg)
{
	check_pages(arg, PAGE, 150);
	return NULL;
}

START_TEST(test_many_readers)
{
	const struct kdump_spec spec = { .pages = pages };
	struct kvfs_dump *dump;
	pthread_t threads[4];

	make_pages();
	lib.damaged = 150;
	dump = open_spec(&spec);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_all, dump), 0);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_eq(dump->nr_damaged, 1);
	kvfs_dump_close(dump);
}
END_TEST

/* The library is not given a part without a page. */
START_TEST(test_split)
{
	struct kdump_spec spec = { .pages = pages, .split = true, .start = 0, .end = NR_PAGES };
	struct kvfs_dump *dump;
	struct kvfs_err err;

	make_pages();
	kdump_build(&file, &spec);
	last_fds[1] = unit_file(file.bytes, file.len);
	spec.start = spec.end;
	kdump_build(&file, &spec);
	last_fds[0] = unit_file(file.bytes, file.len);
	ck_assert_msg(open_files(last_fds, 2, &dump, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(dump->format, "kdump-compressed, split");
	ck_assert_uint_eq(lib.nr_files, 1);
	ck_assert_ptr_null(dump->missing);
	check_pages(dump, PAGE, 0);
	kvfs_dump_close(dump);

	last_fds[0] = unit_file(file.bytes, file.len);
	ck_assert_int_eq(open_files(last_fds, 1, &dump, &err), 0);
	ck_assert_uint_eq(lib.nr_files, 1);
	ck_assert_ptr_nonnull(dump->missing);
	ck_assert_uint_eq(word_at(dump, PAGE), 0);
	kvfs_dump_close(dump);
}
END_TEST

static const char note[] = "\x0b\0\0\0\x04\0\0\0\0\0\0\0VMCOREINFO\0\0A=1\n";

START_TEST(test_notes)
{
	struct kdump_spec spec = { .pages = pages, .notes = note, .notes_len = sizeof(note) - 1 };
	struct kvfs_dump *dump;

	make_pages();
	dump = open_spec(&spec);
	ck_assert_uint_eq(dump->notes.len, sizeof(note) - 1);
	ck_assert(memcmp(dump->notes.v[0].bytes, note, dump->notes.len) == 0);
	ck_assert_str_eq(dump->vmcoreinfo, "A=1\n");
	ck_assert_uint_eq(dump->vmcoreinfo_len, 4);
	kvfs_dump_close(dump);
	/* VMCOREINFO of the header comes first. */
	spec.vmcoreinfo = "B=2\n";
	dump = open_spec(&spec);
	ck_assert_str_eq(dump->vmcoreinfo, "B=2\n");
	kvfs_dump_close(dump);
}
END_TEST

/* A dump that cannot be opened is reported, and its descriptors stay the caller's. */
START_TEST(test_refused)
{
	const struct kdump_spec spec = { .pages = pages };
	struct kvfs_dump *dump;
	struct kvfs_err err;
	int fd;

	make_pages();
	kdump_build(&file, &spec);
	fd = unit_file(file.bytes, file.len);
	lib.ret = -EOPNOTSUPP;
	unit_assert_error(open_files(&fd, 1, &dump, &err), EOPNOTSUPP, err, "first: the library says no");
	ck_assert_ptr_null(dump);
	ck_assert_int_eq(close(fd), 0);
	lib.ret = 0;
	kdump_put32(&file, 440, 0);
	kdump_put64(&file, PAGE + 96, 0);	/* no pages at all */
	fd = unit_file(file.bytes, file.len);
	unit_assert_error(open_files(&fd, 1, &dump, &err), EBADMSG, err, "first");
	ck_assert_int_eq(close(fd), 0);
	fd = unit_file(file.bytes, 3 * PAGE);
	unit_assert_error(open_files(&fd, 1, &dump, &err), EBADMSG, err, "first");
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(test_out_of_memory)
{
	const struct kdump_spec spec = { .pages = pages, .notes = note, .notes_len = sizeof(note) - 1 };
	struct kvfs_dump *dump;
	struct kvfs_err err;
	int ret;

	make_pages();
	kdump_build(&file, &spec);
	last_fds[0] = unit_file(file.bytes, file.len);
	failalloc_try_all(ret, ret = open_files(last_fds, 1, &dump, &err));
	/* Out of memory while it is read: an error of that read alone. */
	failalloc_arm(0);
	ck_assert_int_eq(kvfs_dump_read_phys(dump, &(char){ 0 }, 1, 50 * PAGE), -ENOMEM);
	ck_assert(failalloc_happened());
	check_pages(dump, PAGE, 0);
	kvfs_dump_close(dump);
}
END_TEST

UNIT_MAIN("dump/kdump", test_probe, test_pages, test_large_pages, test_holes, test_damaged, test_unavailable, test_unreadable, test_many_readers, test_split,
	  test_notes, test_refused, test_out_of_memory)
