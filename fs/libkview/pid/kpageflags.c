// SPDX-License-Identifier: GPL-2.0-only
#include "pid/kpageflags.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "extent/uring.h"

#define WORD sizeof(uint64_t)
#define NR_FDS 4		/* reads of different descriptors run side by side */
#define MAX_GAP 16		/* pages that are cheaper to read than another system call */
#define MAX_RUN 2048		/* pages of one read */
#define BATCH_WORDS 8192	/* pages of one batch: 64 KiB */
#define MAX_RUNS KVFS_URING_DEPTH
/* A smaller batch ends before a second thread of the kernel has woken up. */
#define SIDE_BY_SIDE_WORDS 4096

struct kvfs_kpageflags {
	int fds[NR_FDS];
};

/* Reads that are submitted together. */
struct batch {
	struct kvfs_uring_read reads[MAX_RUNS];
	uint64_t first[MAX_RUNS];	/* PFN of each read's first word */
	size_t n;
	size_t used;			/* of words */
	uint64_t words[BATCH_WORDS];
};

int kvfs_kpageflags_create_on(const char *path, struct kvfs_kpageflags **out, struct kvfs_err *err)
{
	struct kvfs_kpageflags *kpf = malloc(sizeof(*kpf));

	if (!kpf)
		return kvfs_err_sys(err, ENOMEM, "%s", path);
	for (int i = 0; i < NR_FDS; i++)
		kpf->fds[i] = -1;
	for (int i = 0; i < NR_FDS; i++) {
		kpf->fds[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (kpf->fds[i] < 0) {
			int errnum = errno;

			kvfs_kpageflags_destroy(kpf);
			return kvfs_err_sys(err, errnum, "cannot open %s", path);
		}
	}
	*out = kpf;
	return 0;
}

int kvfs_kpageflags_create(struct kvfs_kpageflags **out, struct kvfs_err *err)
{
	return kvfs_kpageflags_create_on("/proc/kpageflags", out, err);
}

void kvfs_kpageflags_destroy(struct kvfs_kpageflags *kpf)
{
	if (!kpf)
		return;
	for (int i = 0; i < NR_FDS; i++)
		if (kpf->fds[i] >= 0)
			close(kpf->fds[i]);
	free(kpf);
}

static int compare(const void *a, const void *b)
{
	const struct kvfs_kpageflags_query *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

/* Adds a read of the pages [first, end) unless the batch is full. */
static bool add_run(struct batch *b, uint64_t first, uint64_t end)
{
	size_t n = (size_t)(end - first);

	if (b->n == MAX_RUNS || n > BATCH_WORDS - b->used)
		return false;
	b->first[b->n] = first;
	b->reads[b->n] = (struct kvfs_uring_read) {
		.buf = b->words + b->used,
		.len = n * WORD,
		.off = first * WORD,
	};
	b->used += n;
	b->n++;
	return true;
}

static int run_batch(struct kvfs_kpageflags *kpf, struct batch *b)
{
	size_t spread = b->used >= SIDE_BY_SIDE_WORDS ? NR_FDS : 1;

	for (size_t i = 0; i < b->n; i++)
		b->reads[i].fd = kpf->fds[i % spread];
	kvfs_uring_read_batch(b->reads, b->n);
	for (size_t i = 0; i < b->n; i++) {
		ssize_t got = b->reads[i].result;

		if (got < 0)
			return (int)got;
		memset((char *)b->reads[i].buf + got, 0, b->reads[i].len - (size_t)got);
	}
	return 0;
}

/* Copies the words of a batch to v[0, n), which is sorted and which the batch covers. */
static void distribute(const struct batch *b, struct kvfs_kpageflags_query *v, size_t n)
{
	size_t run = 0;

	for (size_t i = 0; i < n; i++) {
		const uint64_t *words;

		while (run + 1 < b->n && v[i].pfn >= b->first[run + 1])
			run++;
		words = b->reads[run].buf;
		v[i].flags = words[v[i].pfn - b->first[run]];
	}
}

/* Returns one past the last of v[i..] that one read gets together with v[i]. */
static size_t end_of_run(const struct kvfs_kpageflags_query *v, size_t n, size_t i)
{
	size_t end = i + 1;

	while (end < n && v[end].pfn - v[end - 1].pfn <= MAX_GAP && v[end].pfn - v[i].pfn < MAX_RUN)
		end++;
	return end;
}

int kvfs_kpageflags_load(struct kvfs_kpageflags *kpf, struct kvfs_kpageflags_query *v, size_t n)
{
	_cleanup_free_ struct batch *b = malloc(sizeof(*b));
	size_t done = 0;

	if (!b)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (v[i].pfn > INT64_MAX / WORD - MAX_RUN)
			return -EINVAL;
	qsort(v, n, sizeof(*v), compare);
	while (done < n) {
		size_t end = done, next;
		int ret;

		b->n = b->used = 0;
		while (end < n) {
			next = end_of_run(v, n, end);
			if (!add_run(b, v[end].pfn, v[next - 1].pfn + 1))
				break;
			end = next;
		}
		ret = run_batch(kpf, b);
		if (ret < 0)
			return ret;
		distribute(b, v + done, end - done);
		done = end;
	}
	return 0;
}
