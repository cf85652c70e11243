// SPDX-License-Identifier: GPL-2.0-only
#include "base/parallel.h"

#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define PARTS_MAX 8

struct work {
	kvfs_parallel_fn *fn;
	void *job;
	size_t n, nr_parts;
	atomic_size_t next_part;
	int results[PARTS_MAX];
};

struct helper {
	struct kvfs_task task;
	struct work *work;
	bool started;
	sem_t done;
};

/* Threads that help any caller in this process, which share its CPUs. */
static atomic_size_t nr_helpers;

static size_t part_start(const struct work *work, size_t i)
{
	return work->n / work->nr_parts * i + work->n % work->nr_parts * i / work->nr_parts;
}

/* Does parts until every one is taken. */
static void take_parts(struct work *work)
{
	size_t i;

	while ((i = atomic_fetch_add(&work->next_part, 1)) < work->nr_parts) {
		size_t first = part_start(work, i);

		work->results[i] = work->fn(work->job, first, part_start(work, i + 1) - first);
	}
}

static void help(struct kvfs_task *task)
{
	struct helper *helper = kvfs_list_entry(task, struct helper, task);

	take_parts(helper->work);
	sem_post(&helper->done);
}

static void start(struct kvfs_pool *pool, struct helper *helper, struct work *work, size_t max_helpers)
{
	*helper = (struct helper){ .task.run = help, .work = work };
	sem_init(&helper->done, 0, 0);
	helper->started = atomic_fetch_add(&nr_helpers, 1) < max_helpers &&
			  kvfs_pool_start(pool, &helper->task) == 0;
	if (!helper->started)
		atomic_fetch_sub(&nr_helpers, 1);
}

static void finish(struct kvfs_pool *pool, struct helper *helper)
{
	if (helper->started) {
		if (!kvfs_pool_cancel(pool, &helper->task))
			while (sem_wait(&helper->done) != 0)
				;
		atomic_fetch_sub(&nr_helpers, 1);
	}
	sem_destroy(&helper->done);
}

static size_t nr_cpus(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	return (size_t)CPU_COUNT(&set);
}

int kvfs_parallel(struct kvfs_pool *pool, size_t n, size_t grain, kvfs_parallel_fn *fn, void *job)
{
	struct work work = { .fn = fn, .job = job, .n = n, .nr_parts = n / grain };
	struct helper helpers[PARTS_MAX - 1];
	size_t cpus;

	if (!pool || work.nr_parts < 2)
		return fn(job, 0, n);
	cpus = nr_cpus();
	if (work.nr_parts > cpus)
		work.nr_parts = cpus;
	if (work.nr_parts > PARTS_MAX)
		work.nr_parts = PARTS_MAX;
	if (work.nr_parts < 2)
		return fn(job, 0, n);
	for (size_t i = 0; i + 1 < work.nr_parts; i++)
		start(pool, &helpers[i], &work, cpus - 1);
	take_parts(&work);
	for (size_t i = 0; i + 1 < work.nr_parts; i++)
		finish(pool, &helpers[i]);
	for (size_t i = 0; i < work.nr_parts; i++)
		if (work.results[i] != 0)
			return work.results[i];
	return 0;
}
