// SPDX-License-Identifier: GPL-2.0-only
#include "parallel.h"

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

static int nr_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

static void *run(void *arg)
{
	struct part *part = arg;

	part->ret = part->fn(part->job, part->first, part->n);
	return NULL;
}

static void start(struct part *part, int cpus)
{
	if (atomic_fetch_add(&nr_helpers, 1) < cpus - 1)
		part->has_thread = pthread_create(&part->thread, NULL, run, part) == 0;
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
	int cpus = nr_cpus();
	size_t nr = n / grain, first = 0;
	int ret = 0;

	if (nr > (size_t)cpus)
		nr = (size_t)cpus;
	if (nr > PARTS_MAX)
		nr = PARTS_MAX;
	if (nr < 2)
		return fn(job, 0, n);
	for (size_t i = 0; i < nr; i++) {
		size_t end = n / nr * (i + 1) + n % nr * (i + 1) / nr;

		parts[i] = (struct part){ .fn = fn, .job = job, .first = first, .n = end - first };
		first = end;
		if (i > 0)
			start(&parts[i], cpus);
	}
	for (size_t i = 0; i < nr; i++) {
		finish(&parts[i]);
		if (ret == 0)
			ret = parts[i].ret;
	}
	return ret;
}
