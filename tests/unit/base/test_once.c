// SPDX-License-Identifier: GPL-2.0-only
#include "base/once.h"

#include <errno.h>
#include <stdatomic.h>

#include "unit.h"

#define NR_THREADS 8

static atomic_int calls;

/* Fails twice, then answers. */
static int probe(void)
{
	return ++calls <= 2 ? -EMFILE : 5;
}

START_TEST(failures_are_no_answer)
{
	struct kvfs_once once = KVFS_ONCE_INIT;

	ck_assert_int_eq(kvfs_once(&once, probe), -EMFILE);
	ck_assert_int_eq(kvfs_once(&once, probe), -EMFILE);
	ck_assert_int_eq(kvfs_once(&once, probe), 5);
	ck_assert_int_eq(kvfs_once(&once, probe), 5);
	ck_assert_int_eq(calls, 3);
}
END_TEST

static struct kvfs_once shared = KVFS_ONCE_INIT;

static int say_no(void)
{
	calls++;
	return 0;
}

static void *ask(void *arg)
{
	ck_assert_int_eq(kvfs_once(&shared, say_no), 0);
	return NULL;
}

START_TEST(threads_share_the_answer)
{
	pthread_t threads[NR_THREADS];

	for (int i = 0; i < NR_THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask, NULL), 0);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(calls, 1);
}
END_TEST

UNIT_MAIN("once", failures_are_no_answer, threads_share_the_answer)
