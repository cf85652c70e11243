// SPDX-License-Identifier: GPL-2.0-only
#include "kview-trace/merge.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "kview-trace/clock.h"

/* poll(2) wakes at buffer_percent, which the administrator sets; before that, this wakes it. */
#define IDLE_MS 100

/* An unknown clock comes first. */
static int compare_clocks(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : !!a - !!b;
}

static int compare(const void *va, const void *vb)
{
	const struct ring *a = va, *b = vb;
	int ret = compare_clocks(a->clock, b->clock);

	return ret ? ret : (a->index > b->index) - (a->index < b->index);
}

void merge_init(struct merge *merge, struct ring *rings, size_t nr, struct decoder *decoder,
		const volatile sig_atomic_t *stop, FILE *out)
{
	*merge = (struct merge) {
		.rings = rings,
		.nr = nr,
		.decoder = decoder,
		.stop = stop,
		.out = out,
	};
	qsort(rings, nr, sizeof(*rings), compare);
	merge->several = nr > 0 && !clock_equal(rings[0].clock, rings[nr - 1].clock);
}

/* The number of rings that have the clock of the first one. */
static size_t group_len(const struct ring *rings, size_t nr)
{
	size_t n = 1;

	while (n < nr && clock_equal(rings[0].clock, rings[n].clock))
		n++;
	return n;
}

/* The ring whose pending event is the oldest, of equally old ones the first; NULL if none has one. */
static struct ring *oldest(struct ring *rings, size_t n)
{
	struct ring *best = NULL;

	for (size_t i = 0; i < n; i++) {
		if (rings[i].pending && (!best || rings[i].event.ts < best->event.ts))
			best = &rings[i];
	}
	return best;
}

/*
 * Looks into the rings of a group until each has an event, or was empty after the last one that
 * was found: what comes into an empty ring later is younger than that. Returns 0 or -errno.
 */
static int fill(struct ring *rings, size_t n, struct kvfs_err *err)
{
	bool found;

	do {
		found = false;
		for (size_t i = 0; i < n; i++) {
			int ret;

			if (rings[i].pending)
				continue;
			ret = ring_fill(&rings[i]);
			if (ret < 0)
				return kvfs_err_sys(err, -ret, "%s", rings[i].path);
			found |= ret > 0;
		}
	} while (found);
	return 0;
}

static void print_heading(struct merge *merge, const char *clock)
{
	if (!merge->several || (merge->any_shown && clock_equal(merge->shown, clock)))
		return;
	fprintf(merge->out, "# clock: %s\n", clock ? clock : "unknown");
	merge->shown = clock;
	merge->any_shown = true;
}

static void print_lost(struct ring *ring, FILE *out)
{
	if (ring->nr_lost)
		fprintf(out, "CPU:%d [LOST %llu EVENTS]\n", ring->cpu, (unsigned long long)ring->nr_lost);
	else
		fprintf(out, "CPU:%d [LOST EVENTS]\n", ring->cpu);
	ring->lost = false;
}

static int print_event(struct merge *merge, struct ring *ring, struct kvfs_err *err)
{
	int ret;

	print_heading(merge, ring->clock);
	if (ring->lost)
		print_lost(ring, merge->out);
	ret = decoder_print(merge->decoder, ring->cpu, clock_is_ns(ring->clock), &ring->event, merge->out);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "cannot read the format of an event");
	return ferror(merge->out) ? kvfs_err_sys(err, EPIPE, "cannot write") : 0;
}

/* Prints a group's events up to where one of its rings must be filled. Returns 1 if there were any. */
static int print_pass(struct merge *merge, struct ring *rings, size_t n, struct kvfs_err *err)
{
	struct ring *ring;
	int ret = fill(rings, n, err);

	if (ret < 0)
		return ret;
	ring = oldest(rings, n);
	if (!ring)
		return 0;
	while (ring && !*merge->stop) {
		ret = print_event(merge, ring, err);
		if (ret < 0)
			return ret;
		ring_advance(ring);
		ring = ring->pending ? oldest(rings, n) : NULL;
	}
	return 1;
}

static void idle(struct merge *merge)
{
	struct pollfd *fds = calloc(merge->nr, sizeof(*fds));

	fflush(merge->out);
	for (size_t i = 0; fds && i < merge->nr; i++)
		fds[i] = (struct pollfd) { .fd = merge->rings[i].fd, .events = POLLIN };
	poll(fds, fds ? merge->nr : 0, IDLE_MS);
	free(fds);
}

/* One pass for each group. Returns 1 if there was anything, 0 or -errno. */
static int print_round(struct merge *merge, struct kvfs_err *err)
{
	int any = 0;

	for (size_t i = 0, n; i < merge->nr; i += n) {
		int ret;

		n = group_len(merge->rings + i, merge->nr - i);
		ret = print_pass(merge, merge->rings + i, n, err);
		if (ret < 0)
			return ret;
		any |= ret;
	}
	return any;
}

int merge_print(struct merge *merge, bool follow, struct kvfs_err *err)
{
	int ret = 0;

	/* What is there already, each group to its end, so that it needs one heading. */
	for (size_t i = 0, n; !follow && i < merge->nr; i += n) {
		n = group_len(merge->rings + i, merge->nr - i);
		while (!*merge->stop && (ret = print_pass(merge, merge->rings + i, n, err)) > 0)
			;
		if (ret < 0)
			return ret;
	}
	while (follow && !*merge->stop) {
		ret = print_round(merge, err);
		if (ret < 0)
			return ret;
		if (ret == 0)
			idle(merge);
	}
	return 0;
}

int merge_print_taken(struct merge *merge, struct kvfs_err *err)
{
	for (size_t i = 0, n; i < merge->nr; i += n) {
		struct ring *ring;

		n = group_len(merge->rings + i, merge->nr - i);
		while ((ring = oldest(merge->rings + i, n))) {
			int ret = print_event(merge, ring, err);

			if (ret < 0)
				return ret;
			ring_advance(ring);
		}
	}
	return 0;
}
