// SPDX-License-Identifier: GPL-2.0-only
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#define PARTS_MAX 8

struct part {
	kvfs_parallel_fn *fn;
	void *job;
	size_t first, n;
	int ret;
	pthread_t thread;
	bool has_thread;
};

/* Threads that work for any caller. */
static atomic_int nr_helpers;


static void *run(void *arg)
{
	struct part *part = arg;

	part->ret = part->fn(part->job, part->first, part->n);
	return NULL;
}

/*
 * A thread on any of the CPUs in set: the caller's own is not among them, where the scheduler
 * would often put it, to wait until the caller has done its part.
 */
static bool make_thread(struct part *part, const cpu_set_t *set)
{
	pthread_attr_t attr;
	bool made;

	if (pthread_attr_init(&attr) != 0)
		return false;
	made = pthread_attr_setaffinity_np(&attr, sizeof(*set), set) == 0 &&
	       pthread_create(&part->thread, &attr, run, part) == 0;
	pthread_attr_destroy(&attr);
	return made;
}

static void start(struct part *part, const cpu_set_t *others)
{
	part->has_thread = atomic_fetch_add(&nr_helpers, 1) < CPU_COUNT(others) && make_thread(part, others);
	if (!part->has_thread)
		atomic_fetch_sub(&nr_helpers, 1);
}

static void finish(struct part *part)
{
	if (!part->has_thread) {
		run(part);
		return;
	}
	pthread_join(part->thread, NULL);
	atomic_fetch_sub(&nr_helpers, 1);
}

int kvfs_parallel(size_t n, size_t grain, kvfs_parallel_fn *fn, void *job)
{
	struct part parts[PARTS_MAX];
	size_t nr = n / grain, cpus, first = 0;
	cpu_set_t others;
	int ret = 0;

	CPU_ZERO(&others);
	sched_getaffinity(0, sizeof(others), &others);
	CPU_CLR(sched_getcpu(), &others);
	cpus = (size_t)CPU_COUNT(&others) + 1;
	if (nr > cpus)
		nr = cpus;
	if (nr > PARTS_MAX)
		nr = PARTS_MAX;
	if (nr < 2)
		return fn(job, 0, n);
	for (size_t i = 0; i < nr; i++) {
		size_t end = n / nr * (i + 1) + n % nr * (i + 1) / nr;

		parts[i] = (struct part){ .fn = fn, .job = job, .first = first, .n = end - first };
		first = end;
		if (i > 0)
			start(&parts[i], &others);
	}
	for (size_t i = 0; i < nr; i++) {
		finish(&parts[i]);
		if (ret == 0)
			ret = parts[i].ret;
	}
	return ret;
}
