// SPDX-License-Identifier: GPL-2.0-only
/* One entry a ring, also while several threads look it up and let it go. */
#include "trace/files.h"

#include <pthread.h>
#include <stdlib.h>

#include "failalloc.h"
#include "unit.h"

struct thing {
	struct kvfs_trace_entry entry;
	_Atomic(unsigned int) refs;
};

static struct thing *to_thing(struct kvfs_trace_entry *entry)
{
	return kvfs_list_entry(entry, struct thing, entry);
}

static bool get(struct kvfs_trace_entry *entry)
{
	unsigned int refs = atomic_load(&to_thing(entry)->refs);

	while (refs > 0) {
		if (atomic_compare_exchange_weak(&to_thing(entry)->refs, &refs, refs + 1))
			return true;
	}
	return false;
}

static struct kvfs_trace_entry *make(void *arg)
{
	struct thing *thing = calloc(1, sizeof(*thing));

	if (!thing)
		return NULL;
	atomic_init(&thing->refs, 1);
	if (arg)
		(*(unsigned int *)arg)++;
	return &thing->entry;
}

static void put(struct kvfs_trace_files *files, struct thing *thing)
{
	if (atomic_fetch_sub(&thing->refs, 1) > 1)
		return;
	kvfs_trace_files_remove(files, &thing->entry);
	free(thing);
}

START_TEST(one_for_each_ino)
{
	struct kvfs_trace_files *files = kvfs_trace_files_create(NULL, NULL);
	struct kvfs_trace_entry *v[1000];
	unsigned int made = 0;

	ck_assert_str_eq(files->online, "/sys/devices/system/cpu/online");
	for (size_t i = 0; i < 1000; i++) {
		v[i] = kvfs_trace_files_lookup(files, i, get, make, &made);
		ck_assert_uint_eq(v[i]->ino, i);
	}
	ck_assert_uint_eq(made, 1000);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_ptr_eq(kvfs_trace_files_lookup(files, i, get, make, &made), v[i]);
	ck_assert_uint_eq(made, 1000);
	/* One that is about to be destroyed is not found, and another one takes its place. */
	atomic_store(&to_thing(v[7])->refs, 0);
	ck_assert_ptr_ne(kvfs_trace_files_lookup(files, 7, get, make, &made), v[7]);
	ck_assert_uint_eq(made, 1001);
	atomic_store(&to_thing(v[7])->refs, 1);
	put(files, to_thing(v[7]));
	v[7] = kvfs_trace_files_lookup(files, 7, get, make, &made);
	ck_assert_uint_eq(made, 1001);
	for (size_t i = 0; i < 1000; i++) {
		put(files, to_thing(v[i]));
		put(files, to_thing(v[i]));
	}
	ck_assert_ptr_eq(kvfs_trace_files_get(files), files);
	kvfs_trace_files_put(files);
	kvfs_trace_files_put(files);
	kvfs_trace_files_put(NULL);
}
END_TEST

static void *look_up(void *arg)
{
	for (unsigned int i = 0; i < 20000; i++) {
		struct kvfs_trace_entry *entry = kvfs_trace_files_lookup(arg, i % 3, get, make, NULL);

		ck_assert_uint_eq(entry->ino, i % 3);
		put(arg, to_thing(entry));
	}
	return NULL;
}

START_TEST(several_threads)
{
	struct kvfs_trace_files *files = kvfs_trace_files_create("online", "6.12");
	pthread_t threads[4];
	unsigned int made = 0;

	ck_assert_str_eq(files->online, "online");
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, look_up, files), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	/* Nothing is left of them. */
	for (uint64_t ino = 0; ino < 3; ino++)
		put(files, to_thing(kvfs_trace_files_lookup(files, ino, get, make, &made)));
	ck_assert_uint_eq(made, 3);
	kvfs_trace_files_put(files);
}
END_TEST

START_TEST(no_memory)
{
	struct kvfs_trace_files *files;

	failalloc_arm(0);
	ck_assert_ptr_null(kvfs_trace_files_create(NULL, NULL));
	ck_assert(failalloc_happened());
	files = kvfs_trace_files_create(NULL, NULL);
	failalloc_arm(0);
	ck_assert_ptr_null(kvfs_trace_files_lookup(files, 1, get, make, NULL));
	ck_assert(failalloc_happened());
	kvfs_trace_files_put(files);
}
END_TEST

UNIT_MAIN("files",
	one_for_each_ino,
	several_threads,
	no_memory)
