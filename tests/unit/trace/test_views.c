// SPDX-License-Identifier: GPL-2.0-only
/* trace/ through libkview, over folders that look like tracefs. */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "kview_fixture.h"
#include "trace/fake_tracefs.h"

static struct kview_error error;

static struct kview *open_tree(const struct fake *fake)
{
	char options[128];
	struct kview *kview;

	snprintf(options, sizeof(options), "module=no,tracefs=%s", fake->dir);
	ck_assert_msg(kview_open(options, &kview, &error) == 0, "%s", error.msg);
	return kview;
}

START_TEST(read_and_mapped)
{
	struct fake fake;
	struct kview_file *file;
	struct kview_stat st;
	struct kview *kview;
	uint8_t buf[FAKE_LEN + 1];
	void *mem;
	int fd;

	fake_create(&fake, 1);
	kview = open_tree(&fake);
	ck_assert_int_eq(kview_stat(kview, "trace/cpu0", &st, &error), 0);
	ck_assert_int_eq(st.kind, KVIEW_KIND_FILE);
	ck_assert_uint_eq(st.size, FAKE_LEN);
	file = fixture_file(kview, "trace/cpu0");
	ck_assert_int_eq(kview_file_stat(file, &st), 0);
	ck_assert_int_eq(st.mode, KVIEW_MODE_SPLIT);
	ck_assert_uint_eq(st.size, FAKE_LEN);
	ck_assert_int_eq(kview_file_pread(file, buf, sizeof(buf), 0), FAKE_LEN);
	fd = kview_file_fd(file, &error);
	ck_assert_msg(fd >= 0, "%s", error.msg);
	mem = mmap(NULL, FAKE_LEN, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(mem, MAP_FAILED);
	/* The descriptor outlives the file and the tree. */
	kview_file_close(file);
	kview_close(kview);
	ck_assert_mem_eq((uint8_t *)mem + FAKE_SUBBUF, buf + FAKE_SUBBUF, FAKE_LEN - FAKE_SUBBUF);
	munmap(mem, FAKE_LEN);
	close(fd);
	fake_remove(&fake);
}
END_TEST

/* libtracefs has one tracing folder a process, which must not show. */
START_TEST(two_trees_in_a_process)
{
	struct fake fakes[2];
	struct kview *trees[2];
	struct kview_stat st;

	for (int i = 0; i < 2; i++) {
		fake_create(&fakes[i], 1 + i);
		trees[i] = open_tree(&fakes[i]);
	}
	fake_instance(&fakes[0], "one", 1);
	ck_assert_int_eq(kview_stat(trees[0], "trace/instances/one/cpu0", &st, &error), 0);
	ck_assert_int_eq(kview_stat(trees[1], "trace/instances/one/cpu0", &st, &error), -ENOENT);
	ck_assert_int_eq(kview_stat(trees[0], "trace/cpu1", &st, &error), -ENOENT);
	ck_assert_int_eq(kview_stat(trees[1], "trace/cpu1", &st, &error), 0);
	for (int i = 0; i < 2; i++) {
		kview_close(trees[i]);
		fake_remove(&fakes[i]);
	}
}
END_TEST

static void *use(void *arg)
{
	uint8_t buf[64];

	for (int i = 0; i < 300; i++) {
		struct kview_file *file = fixture_file(arg, i % 2 ? "trace/cpu0" : "trace/instances/one/cpu0");
		struct kview_stat st;

		ck_assert_int_eq(kview_file_pread(file, buf, sizeof(buf), FAKE_SUBBUF), sizeof(buf));
		ck_assert_int_eq(kview_file_stat(file, &st), 0);
		ck_assert_uint_eq(st.size, FAKE_LEN);
		kview_file_close(file);
	}
	return NULL;
}

START_TEST(several_threads)
{
	pthread_t threads[4];
	struct kview *kview;
	struct fake fake;

	fake_create(&fake, 1);
	fake_instance(&fake, "one", 1);
	kview = open_tree(&fake);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, use, kview), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	kview_close(kview);
	fake_remove(&fake);
}
END_TEST

START_TEST(a_folder_that_is_none)
{
	struct kview *kview;

	unit_assert_error(kview_open("module=no,tracefs=/nonexistent", &kview, &error), ENOENT, error, "/nonexistent");
}
END_TEST

UNIT_MAIN("views",
	read_and_mapped,
	two_trees_in_a_process,
	several_threads,
	a_folder_that_is_none)
