// SPDX-License-Identifier: GPL-2.0-only
/* The public functions on trees of all kinds; the rooms' own tests have what their files hold. */
#include "libkview.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

#include "kview_fixture.h"

#define NR_THREADS 8

static struct kview_error error;

START_TEST(options_that_are_wrong)
{
	static const struct {
		const char *options;
		int errnum;
		const char *msg;
	} cases[] = {
		{ "nothing=5", EINVAL, "unknown option 'nothing=5'" },
		{ "allow_other", EINVAL, "unknown option 'allow_other'" },
		{ "module=maybe", EINVAL, "module=maybe: must be" },
		{ "kcore", EINVAL, "option kcore needs a value" },
		{ "kcore=/nonexistent", ENOENT, "/nonexistent" },
		{ "module=no,vmcore=/nonexistent", ENOENT, "/nonexistent" },
		{ "module=require,device=/nonexistent", ENODEV, "module=require: " },
	};
	struct kview *kview;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&error, 0, sizeof(error));
		unit_assert_error(kview_open(cases[i].options, &kview, &error), cases[i].errnum, error, cases[i].msg);
		ck_assert_int_eq(kview_open(cases[i].options, &kview, NULL), -cases[i].errnum);
	}
	kview_close(NULL);
	kview_dir_close(NULL);
	kview_file_close(NULL);
}
END_TEST

START_TEST(no_options)
{
	struct kview *kview;
	struct kview_stat st;

	/* What this machine has differs; the root is always there. */
	ck_assert_msg(kview_open(NULL, &kview, &error) == 0, "%s", error.msg);
	ck_assert_int_eq(kview_stat(kview, "", &st, &error), 0);
	ck_assert(st.kind == KVIEW_KIND_DIR && st.ino == 1);
	kview_close(kview);
	ck_assert_int_eq(kview_open("", &kview, &error), 0);
	kview_close(kview);
}
END_TEST

/* Reads all data of a file in pieces of an odd length, and none beyond its end. */
static void read_whole(struct kview *kview, const char *path, const struct kview_stat *st)
{
	struct kview_file *file = fixture_file(kview, path);
	static char buf[300001];
	uint64_t off = 0, data_end;
	struct kview_stat now;

	ck_assert_int_eq(kview_file_stat(file, &now), 0);
	ck_assert_msg(now.size == st->size && now.ino == st->ino && now.mode == st->mode, "%s", path);
	ck_assert(!kview_file_is_stream(file));
	while (kview_file_seek(file, off, SEEK_DATA, &off) == 0) {
		ck_assert_int_eq(kview_file_seek(file, off, SEEK_HOLE, &data_end), 0);
		while (off < data_end) {
			size_t len = data_end - off < sizeof(buf) ? data_end - off : sizeof(buf);

			ck_assert_msg(kview_file_pread(file, buf, len, off) == (ssize_t)len, "%s at %" PRIu64, path, off);
			off += len;
		}
	}
	ck_assert_int_eq(kview_file_pread(file, buf, 1, st->size), 0);
	ck_assert_int_eq(kview_file_pread(file, buf, 1, INT64_MAX), 0);
	ck_assert_int_eq(kview_file_pread(file, buf, 1, UINT64_MAX), -EOVERFLOW);
	ck_assert_int_eq(kview_file_seek(file, 0, SEEK_SET, &off), -EINVAL);
	kview_file_close(file);
}

/* Visits all that is below path, but for pid/ and trace/. Returns the number of files. */
static unsigned int visit(struct kview *kview, const char *path)
{
	struct kview_dirent entry;
	struct kview_stat st;
	struct kview_dir *dir;
	char child[2048];
	unsigned int nr = 0;

	ck_assert_msg(kview_dir_open(kview, path, &dir, &error) == 0, "%s", error.msg);
	while (kview_dir_read(dir, &entry) > 0) {
		if (strcmp(entry.name, "pid") == 0 || strcmp(entry.name, "trace") == 0)
			continue;
		snprintf(child, sizeof(child), "%s%s%s", path, *path ? "/" : "", entry.name);
		ck_assert_msg(kview_stat(kview, child, &st, &error) == 0, "%s", error.msg);
		ck_assert_msg(st.kind == entry.kind && st.data_len <= st.size, "%s", child);
		if (st.kind == KVIEW_KIND_DIR) {
			nr += visit(kview, child);
		} else {
			read_whole(kview, child, &st);
			nr++;
		}
	}
	ck_assert_int_eq(kview_dir_read(dir, &entry), 0);
	kview_dir_close(dir);
	return nr;
}

START_TEST(the_whole_tree)
{
	struct kview *kview = fixture_open("");

	/* kcore: ram, text, core, 6 symbols; vmcore: core, ram, vmcoreinfo, 4 segments. */
	ck_assert_uint_ge(visit(kview, ""), 3 + 6 + 3 + 4);
	kview_close(kview);
}
END_TEST

START_TEST(paths_of_files)
{
	static const struct {
		const char *path;
		int ret;
	} cases[] = {
		{ "kcore/ram", 0 }, { "/kcore//ram", 0 }, { "kcore/ram/", 0 }, { "", -EISDIR }, { "/", -EISDIR },
		{ "kcore", -EISDIR }, { "kcore/", -EISDIR }, { "nothing", -ENOENT }, { "kcore/nothing", -ENOENT },
		{ "kcore/ram/x", -ENOTDIR }, { ".", -ENOENT }, { "kcore/../kcore/ram", -ENOENT }, { "kcor", -ENOENT },
		{ "kcore/sym/first", 0 }, { "kcore/sym/twice", -ENOTUNIQ }, { "kcore/sym/outside", -ENOENT },
		{ "kcore/sym/twice@ffffffff81002010", 0 }, { "vmcore/seg0", 0 }, { "vmcore/seg4", -ENOENT },
	};
	struct kview *kview = fixture_open("");
	char long_path[2000];
	struct kview_file *file;
	struct kview_stat st;
	struct kview_dir *dir;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ret = kview_file_open(kview, cases[i].path, &file, &error);

		ck_assert_msg(ret == cases[i].ret, "'%s': %d", cases[i].path, ret);
		if (ret == 0) {
			kview_file_close(file);
			ck_assert_int_eq(kview_dir_open(kview, cases[i].path, &dir, &error), -ENOTDIR);
		} else {
			ck_assert_int_eq(error.errnum, -ret);
			ck_assert_ptr_nonnull(strstr(error.msg, cases[i].path));
		}
	}
	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	ck_assert_int_eq(kview_stat(kview, long_path, &st, &error), -ENAMETOOLONG);
	ck_assert_int_eq(kview_stat(kview, long_path, &st, NULL), -ENAMETOOLONG);
	kview_close(kview);
}
END_TEST

START_TEST(memory)
{
	struct kview *kview = fixture_open("");
	struct kview_file *file = fixture_file(kview, "kcore/ram");
	const size_t len = FIXTURE_HIGH_END - FIXTURE_LOW_START + 4096;
	uint8_t *buf = malloc(len);
	struct kview_stat st;
	uint64_t off;

	ck_assert_int_eq(kview_file_stat(file, &st), 0);
	ck_assert(st.kind == KVIEW_KIND_FILE && st.mode == KVIEW_MODE_COPY);
	ck_assert_uint_eq(st.size, FIXTURE_HIGH_END);
	ck_assert_uint_eq(st.data_len, FIXTURE_LOW_END - FIXTURE_LOW_START + FIXTURE_HIGH_END - FIXTURE_HIGH_START);
	/* In one go: it is more than is read at a time, and goes past the end. */
	ck_assert_int_eq(kview_file_pread(file, buf, len, FIXTURE_LOW_START), FIXTURE_HIGH_END - FIXTURE_LOW_START);
	fixture_assert_memory(buf, FIXTURE_LOW_END - FIXTURE_LOW_START, FIXTURE_LOW_START);
	off = FIXTURE_LOW_END;
	while (off < FIXTURE_HIGH_START && buf[off - FIXTURE_LOW_START] == 0)
		off++;
	ck_assert_uint_eq(off, FIXTURE_HIGH_START);
	fixture_assert_memory(buf + FIXTURE_HIGH_START - FIXTURE_LOW_START, FIXTURE_HIGH_END - FIXTURE_HIGH_START,
			      FIXTURE_HIGH_START);
	ck_assert_int_eq(kview_file_seek(file, 0, SEEK_DATA, &off), 0);
	ck_assert_uint_eq(off, FIXTURE_LOW_START);
	ck_assert_int_eq(kview_file_seek(file, off, SEEK_HOLE, &off), 0);
	ck_assert_uint_eq(off, FIXTURE_LOW_END);
	ck_assert_int_eq(kview_file_seek(file, FIXTURE_HIGH_END, SEEK_DATA, &off), -ENXIO);
	kview_file_close(file);
	free(buf);
	kview_close(kview);
}
END_TEST

START_TEST(attributes)
{
	struct kview *kview = fixture_open("");
	char value[512];
	size_t i = 0;

	ck_assert_int_eq(kview_attr(kview, "kcore/ram", "user.kview.vaddr", value, sizeof(value)), 18);
	ck_assert_str_eq(value, "0xffff888000000000");
	ck_assert_int_eq(kview_attr(kview, "kcore/ram", "user.kview.vaddr", value, 19), 18);
	ck_assert_int_eq(kview_attr(kview, "kcore/ram", "user.kview.vaddr", value, 18), -ERANGE);
	ck_assert_int_eq(kview_attr(kview, "kcore/ram", "user.kview.mode", value, sizeof(value)), 4);
	ck_assert_str_eq(value, "copy");
	ck_assert_int_gt(kview_attr(kview, "kcore/ram", "user.kview.reason", value, sizeof(value)), 0);
	ck_assert_int_eq(kview_attr(kview, "vmcore/core", "user.kview.mode", value, sizeof(value)), 6);
	ck_assert_str_eq(value, "direct");
	ck_assert_int_eq(kview_attr(kview, "vmcore/core", "user.kview.reason", value, sizeof(value)), -ENODATA);
	ck_assert_int_eq(kview_attr(kview, "kcore", "user.kview.mode", value, sizeof(value)), -ENODATA);
	ck_assert_int_eq(kview_attr(kview, "kcore/ram", "user.kview.nothing", value, sizeof(value)), -ENODATA);
	ck_assert_int_eq(kview_attr(kview, "nothing", "user.kview.mode", value, sizeof(value)), -ENOENT);
	while (kview_attr_name(i))
		ck_assert_int_eq(strncmp(kview_attr_name(i++), "user.kview.", 11), 0);
	ck_assert_uint_eq(i, 5);
	kview_close(kview);
}
END_TEST

START_TEST(what_is_missing)
{
	const char *name, *reason;
	struct kview *kview;
	struct kview_dir *dir;
	bool found = false;
	char options[64];
	int core = fixture_core(fixture_text);

	snprintf(options, sizeof(options), "module=no,kcore=/proc/self/fd/%d", core);
	ck_assert_msg(kview_open(options, &kview, &error) == 0, "%s", error.msg);
	ck_assert_int_eq(kview_dir_open(kview, "", &dir, &error), 0);
	for (size_t i = 0; kview_dir_missing(dir, i, &name, &reason); i++) {
		ck_assert(*name && *reason);
		if (strcmp(name, "vmcore") == 0 && strstr(reason, "no crash kernel"))
			found = true;
	}
	ck_assert(found);
	kview_dir_close(dir);
	kview_close(kview);
}
END_TEST

START_TEST(descriptors)
{
	struct kview *kview = fixture_open("");
	struct kview_file *file = fixture_file(kview, "vmcore/core");
	struct kview_stat st;
	char buf[64], same[64];
	char *map;
	int fd;

	/* An ELF dump is its own core file. */
	ck_assert_int_eq(kview_file_stat(file, &st), 0);
	ck_assert_int_eq(st.mode, KVIEW_MODE_DIRECT);
	fd = kview_file_fd(file, &error);
	ck_assert_msg(fd >= 0, "%s", error.msg);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(kview_file_pread(file, same, sizeof(same), 0), sizeof(same));
	kview_file_close(file);
	ck_assert_int_eq(pread(fd, buf, sizeof(buf), 0), sizeof(buf));
	ck_assert_mem_eq(buf, same, sizeof(buf));
	map = mmap(NULL, st.size, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_mem_eq(map, same, sizeof(same));
	munmap(map, st.size);
	close(fd);

	file = fixture_file(kview, "vmcore/vmcoreinfo");
	unit_assert_error(kview_file_fd(file, &error), EOPNOTSUPP, error, "a text");
	kview_file_close(file);
	/* It could, with the module. */
	file = fixture_file(kview, "vmcore/ram");
	ck_assert_int_lt(kview_file_fd(file, &error), 0);
	ck_assert_int_ne(error.msg[0], '\0');
	ck_assert_int_lt(kview_file_fd(file, NULL), 0);
	kview_file_close(file);
	kview_close(kview);
}
END_TEST

START_TEST(the_calling_process)
{
	struct kview *kview = fixture_open("");
	struct kview_file *file;
	struct kview_stat st;
	char target[32], want[32];

	if (kview_stat(kview, "pid", &st, NULL) == 0) {
		snprintf(want, sizeof(want), "%d", getpid());
		ck_assert_int_eq(kview_readlink(kview, "pid/self", target, sizeof(target)), (int)strlen(want));
		ck_assert_str_eq(target, want);
		ck_assert_int_eq(kview_readlink(kview, "pid/self", target, strlen(want)), -ERANGE);
		ck_assert_int_eq(kview_stat(kview, "pid/self", &st, &error), 0);
		ck_assert_int_eq(st.kind, KVIEW_KIND_SYMLINK);
		file = fixture_file(kview, "pid/self/pagemap");
		kview_file_close(file);
		ck_assert_int_eq(kview_file_open(kview, "pid/self", &file, &error), -EISDIR);
	}
	ck_assert_int_eq(kview_readlink(kview, "kcore", target, sizeof(target)), -EINVAL);
	ck_assert_int_eq(kview_readlink(kview, "nothing", target, sizeof(target)), -ENOENT);
	kview_close(kview);
}
END_TEST

/* One of several threads that use one tree, and one file of it, at the same time. */
struct reader {
	struct kview *kview;
	struct kview_file *shared;
	unsigned int seed;
};

static void *read_at_random(void *arg)
{
	static const char *const paths[] = { "kcore/ram", "vmcore/ram" };
	struct reader *reader = arg;
	uint8_t buf[9000];

	for (int i = 0; i < 200; i++) {
		struct kview_file *own = fixture_file(reader->kview, paths[i % 2]);
		uint64_t paddr = FIXTURE_HIGH_START + (uint64_t)rand_r(&reader->seed) %
				 (FIXTURE_HIGH_END - FIXTURE_HIGH_START - sizeof(buf));

		ck_assert_int_eq(kview_file_pread(own, buf, sizeof(buf), paddr), sizeof(buf));
		fixture_assert_memory(buf, sizeof(buf), paddr);
		ck_assert_int_eq(kview_file_pread(reader->shared, buf, sizeof(buf), paddr), sizeof(buf));
		fixture_assert_memory(buf, sizeof(buf), paddr);
		kview_file_close(own);
	}
	return NULL;
}

START_TEST(many_threads)
{
	struct kview *kview = fixture_open("");
	struct kview_file *shared = fixture_file(kview, "vmcore/ram");
	struct reader readers[NR_THREADS];
	pthread_t threads[NR_THREADS];

	for (unsigned int i = 0; i < NR_THREADS; i++) {
		readers[i] = (struct reader){ .kview = kview, .shared = shared, .seed = i };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_at_random, &readers[i]), 0);
	}
	for (unsigned int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	kview_file_close(shared);
	kview_close(kview);
}
END_TEST

START_TEST(several_trees)
{
	struct kview *first = fixture_open(""), *second = fixture_open(",cache=2M");
	struct kview_file *a = fixture_file(first, "kcore/sym/first"), *b = fixture_file(second, "kcore/sym/first");
	uint8_t buf[16];

	kview_file_close(a);
	kview_close(first);
	ck_assert_int_eq(kview_file_pread(b, buf, sizeof(buf), 0), sizeof(buf));
	fixture_assert_memory(buf, sizeof(buf), FIXTURE_IMAGE_PADDR + 0x1000);
	kview_file_close(b);
	kview_close(second);
}
END_TEST

UNIT_MAIN("kview", options_that_are_wrong, no_options, the_whole_tree, paths_of_files, memory, attributes, what_is_missing,
	  descriptors, the_calling_process, many_threads, several_trees)
