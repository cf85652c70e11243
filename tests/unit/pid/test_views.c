// SPDX-License-Identifier: GPL-2.0-only
/* pid/ through libkview, of this process and of children, compared with what the kernel reports. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>

#include "base/cleanup.h"
#include "child.h"
#include "kview_fixture.h"

#define PAGE UINT64_C(4096)
#define NR_PAGES 64
#define NR_THREADS 8
#define RESIDENT 1
#define LARGE_PAGES 262144	/* 1 GiB: work for several CPUs */

static struct kview_error error;

static struct kview *open_tree(void)
{
	struct kview *kview;

	ck_assert_msg(kview_open("module=no", &kview, &error) == 0, "%s", error.msg);
	return kview;
}

/* Opens a file of a process, "self" or a number. */
static struct kview_file *open_file(struct kview *kview, const char *process, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "pid/%s/%s", process, name);
	return fixture_file(kview, path);
}

/* Anonymous memory whose even pages exist. */
static uint8_t *map_pages(void)
{
	uint8_t *p = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	madvise(p, NR_PAGES * PAGE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < NR_PAGES; i += 2)
		p[i * PAGE] = 1;
	return p;
}

/* A file of LARGE_PAGES pages, mapped and not touched, of which every 1000th is resident. */
static uint8_t *map_large(void)
{
	int fd = memfd_create("large", MFD_CLOEXEC);
	uint8_t *p;

	ck_assert_int_eq(ftruncate(fd, LARGE_PAGES * PAGE), 0);
	for (uint64_t i = 0; i < LARGE_PAGES; i += 1000)
		ck_assert_int_eq(pwrite(fd, "x", 1, (off_t)(i * PAGE)), 1);
	p = mmap(NULL, LARGE_PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	close(fd);
	return p;
}

START_TEST(pagemap_is_that_of_proc)
{
	_cleanup_close_ int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t off = (uintptr_t)map_pages() / PAGE * 8;
	struct kview *kview = open_tree();
	struct kview_file *file = open_file(kview, "self", "pagemap");
	char want[NR_PAGES * 8], seen[NR_PAGES * 8];
	struct kview_stat st;

	ck_assert_int_eq(pread(fd, want, sizeof(want), (off_t)off), (int)sizeof(want));
	for (size_t at = 0; at < sizeof(want); at += 61) {
		size_t len = sizeof(want) - at;

		ck_assert_int_eq(kview_file_pread(file, seen, len, off + at), (int)len);
		ck_assert_mem_eq(seen, want + at, len);
	}
	ck_assert_int_eq(kview_file_stat(file, &st), 0);
	ck_assert(st.kind == KVIEW_KIND_FILE && st.mode == KVIEW_MODE_COPY);
	ck_assert_uint_gt(st.data_len, sizeof(want));
	ck_assert_int_eq(kview_file_pread(file, seen, 16, st.size - 3), 3);
	ck_assert_int_eq(kview_file_pread(file, seen, 16, st.size), 0);
	ck_assert_int_eq(kview_file_fd(file, &error), -EOPNOTSUPP);
	kview_file_close(file);
	kview_close(kview);
}
END_TEST

START_TEST(mincore_is_that_of_mincore)
{
	uint8_t *pages = map_pages(), *large = map_large();
	struct kview *kview = open_tree();
	struct kview_file *file = open_file(kview, "self", "mincore");
	unsigned char *want = malloc(LARGE_PAGES);
	uint8_t *seen = malloc(LARGE_PAGES);
	struct kview_stat st;
	size_t i = 0;

	ck_assert(want && seen);
	ck_assert_int_eq(mincore(pages, NR_PAGES * PAGE, want), 0);
	ck_assert_int_eq(kview_file_pread(file, seen, NR_PAGES, (uintptr_t)pages / PAGE), NR_PAGES);
	for (i = 0; i < NR_PAGES; i++)
		ck_assert_msg((seen[i] & RESIDENT) == (want[i] & RESIDENT), "page %zu: %#x", i, seen[i]);
	/* Large enough for several threads of the pool. */
	ck_assert_int_eq(mincore(large, LARGE_PAGES * PAGE, want), 0);
	ck_assert_int_eq(kview_file_pread(file, seen, LARGE_PAGES, (uintptr_t)large / PAGE), LARGE_PAGES);
	for (i = 0; i < LARGE_PAGES && (seen[i] & RESIDENT) == (want[i] & RESIDENT); i++)
		;
	ck_assert_uint_eq(i, LARGE_PAGES);
	ck_assert_uint_eq(seen[1000] & RESIDENT, 1);
	ck_assert_int_eq(kview_file_stat(file, &st), 0);
	ck_assert_int_eq(kview_file_pread(file, seen, 16, st.size - 3), 3);
	ck_assert_int_eq(kview_file_pread(file, seen, 16, st.size), 0);
	free(want);
	free(seen);
	kview_file_close(file);
	kview_close(kview);
}
END_TEST

/* Data begins and ends with mappings: here a large one with a gap as large in its middle. */
START_TEST(seek_follows_mappings)
{
	static const struct {
		const char *name;
		uint64_t len;
	} files[] = { { "pagemap", 8 }, { "mincore", 1 } };
	struct kview *kview = open_tree();
	uint64_t third = LARGE_PAGES / 3 / 4096 * 4096;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct kview_file *file = open_file(kview, "self", files[i].name);
		uint8_t *p = mmap(NULL, 3 * third * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		uint64_t first = (uintptr_t)p / PAGE * files[i].len, len = third * files[i].len, out;
		struct kview_stat st;

		ck_assert_ptr_ne(p, MAP_FAILED);
		munmap(p + third * PAGE, third * PAGE);
		ck_assert_int_eq(kview_file_seek(file, first + 3, SEEK_DATA, &out), 0);
		ck_assert_uint_eq(out, first + 3);
		ck_assert_int_eq(kview_file_seek(file, first, SEEK_HOLE, &out), 0);
		ck_assert_uint_eq(out, first + len);
		ck_assert_int_eq(kview_file_seek(file, first + len, SEEK_DATA, &out), 0);
		ck_assert_uint_eq(out, first + 2 * len);
		ck_assert_int_eq(kview_file_stat(file, &st), 0);
		ck_assert_int_eq(kview_file_seek(file, st.size, SEEK_HOLE, &out), -ENXIO);
		munmap(p, 3 * third * PAGE);
		kview_file_close(file);
	}
	kview_close(kview);
}
END_TEST

/* Tells whether pid/ lists a name. */
static bool is_listed(struct kview *kview, const char *name)
{
	struct kview_dirent entry;
	struct kview_dir *dir;
	bool found = false;
	int ret;

	ck_assert_int_eq(kview_dir_open(kview, "pid", &dir, &error), 0);
	while ((ret = kview_dir_read(dir, &entry)) == 1)
		found |= strcmp(entry.name, name) == 0;
	ck_assert_int_eq(ret, 0);
	kview_dir_close(dir);
	return found;
}

START_TEST(processes_come_and_go)
{
	struct kview *kview = open_tree();
	pid_t child = child_start();
	struct kview_file *pagemap, *mincore_file, *again;
	char name[16], path[64], buf[16];
	struct kview_stat st;
	uint64_t out;

	snprintf(name, sizeof(name), "%d", child);
	snprintf(path, sizeof(path), "pid/%d/pagemap", child);
	ck_assert(is_listed(kview, name));
	ck_assert(is_listed(kview, "self"));
	pagemap = open_file(kview, name, "pagemap");
	mincore_file = open_file(kview, name, "mincore");
	ck_assert_int_eq(kview_file_pread(pagemap, buf, 16, 0), 16);
	ck_assert_int_eq(kview_file_pread(mincore_file, buf, 16, 0), 16);
	child_make_zombie(child);
	ck_assert(is_listed(kview, name));
	ck_assert_int_eq(kview_file_pread(pagemap, buf, 16, 0), -ESRCH);
	ck_assert_int_eq(kview_file_pread(mincore_file, buf, 16, 0), -ESRCH);
	ck_assert_int_eq(kview_file_seek(pagemap, 0, SEEK_DATA, &out), -ESRCH);
	ck_assert_int_eq(kview_file_open(kview, path, &again, &error), -ENOENT);
	child_end(child);
	ck_assert(!is_listed(kview, name));
	ck_assert_int_eq(kview_stat(kview, path, &st, &error), -ENOENT);
	ck_assert_int_eq(kview_file_pread(pagemap, buf, 16, 0), -ESRCH);
	kview_file_close(pagemap);
	kview_file_close(mincore_file);
	kview_close(kview);
}
END_TEST

START_TEST(attributes)
{
	struct kview *kview = open_tree();
	char value[512], want[64];

	snprintf(want, sizeof(want), "/proc/%d/pagemap", getpid());
	ck_assert_int_gt(kview_attr(kview, "pid/self/pagemap", "user.kview.source", value, sizeof(value)), 0);
	ck_assert_str_eq(value, want);
	ck_assert_int_gt(kview_attr(kview, "pid/self/mincore", "user.kview.mode", value, sizeof(value)), 0);
	ck_assert_str_eq(value, "copy");
	ck_assert_int_eq(kview_attr(kview, "pid/self/mincore", "user.kview.vaddr", value, sizeof(value)), -ENODATA);
	kview_close(kview);
}
END_TEST

struct shared {
	struct kview *kview;
	uint64_t index;
	const char *_Atomic failed;	/* what went wrong, in any thread */
};

/* Opens, reads and closes files again and again. */
static void *use_files(void *arg)
{
	struct shared *shared = arg;

	for (int i = 0; i < 20; i++) {
		struct kview_file *file;
		uint8_t seen[NR_PAGES];

		if (kview_file_open(shared->kview, "pid/self/mincore", &file, NULL) < 0) {
			shared->failed = "open";
			return NULL;
		}
		if (kview_file_pread(file, seen, NR_PAGES, shared->index) != NR_PAGES)
			shared->failed = "read";
		for (size_t j = 0; j < NR_PAGES; j++)
			if ((seen[j] & RESIDENT) != (j % 2 == 0))
				shared->failed = "bytes";
		kview_file_close(file);
	}
	return NULL;
}

START_TEST(threads)
{
	struct shared shared = { .kview = open_tree(), .index = (uintptr_t)map_pages() / PAGE };
	pthread_t ids[NR_THREADS];

	for (int i = 0; i < NR_THREADS; i++)
		ck_assert_int_eq(pthread_create(&ids[i], NULL, use_files, &shared), 0);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(ids[i], NULL);
	ck_assert_msg(!shared.failed, "%s", shared.failed);
	kview_close(shared.kview);
}
END_TEST

/* A lack of descriptors is an error of the call; the limit stays as the program has set it. */
START_TEST(few_descriptors)
{
	struct kview *kview = open_tree();
	uint64_t index = (uintptr_t)map_pages() / PAGE;
	struct kview_file *file;
	struct kview_stat st;
	uint8_t byte;
	ssize_t ret;

	unit_try_few_fds(ret, ret = kview_stat(kview, "pid/self/mincore", &st, NULL));
	ck_assert_uint_gt(st.size, 0);
	unit_try_few_fds(ret, ret = kview_file_open(kview, "pid/self/mincore", &file, NULL));
	unit_try_few_fds(ret, ret = kview_file_pread(file, &byte, 1, index));
	ck_assert_uint_eq(byte & RESIDENT, 1);
	kview_file_close(file);
	kview_close(kview);
}
END_TEST

UNIT_MAIN("views", pagemap_is_that_of_proc, mincore_is_that_of_mincore, seek_follows_mappings,
	  processes_come_and_go, attributes, threads, few_descriptors)
