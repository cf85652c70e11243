// SPDX-License-Identifier: GPL-2.0-only
#include "kview-trace/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "kview-trace/clock.h"
#include "kview-trace/ring.h"
#include "trace/ring.h"

struct sample {
	struct kvfs_ring_meta meta;
	uint64_t unread;
	uint64_t missed;	/* lost events that the unread part of the ring counts */
	double at;		/* seconds */
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void head(FILE *out)
{
	fprintf(out, "%4s %12s %10s %12s %10s %10s %12s\n", "cpu", "entries", "unread", "read",
		"overrun", "lost", "events/s");
}

static void line(FILE *out, int cpu, const struct sample *s, double rate)
{
	fprintf(out, "%4d %12" PRIu64 " %10" PRIu64 " %12" PRIu64 " %10" PRIu64 " %10" PRIu64 " %12.0f\n",
		cpu, s->meta.entries, s->unread, s->meta.read, s->meta.overrun,
		s->missed + s->meta.reader.lost_events, rate);
}

/* Reads a consistent copy: from offset 0 it is a new one. */
static int take(const char *path, struct sample *out, struct kvfs_err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ void *buf = NULL;
	uint8_t first[sizeof(struct kvfs_ring_meta)];
	size_t len;
	int ret;

	if (fd < 0)
		return kvfs_err_sys(err, errno, "cannot open %s", path);
	ret = kvfs_io_pread_exact(fd, first, sizeof(first), 0);
	if (ret == -ESPIPE)
		return kvfs_err_set(err, ESPIPE, "%s can only be consumed, not be looked at for its counters", path);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "cannot read %s", path);
	ret = kvfs_ring_parse_meta(first, sizeof(first), &out->meta, err);
	if (ret < 0)
		return kvfs_err_prefix(err, "%s", path);
	len = kvfs_ring_len(&out->meta);
	buf = malloc(len);
	if (!buf)
		return kvfs_err_sys(err, ENOMEM, "%s", path);
	memcpy(buf, first, sizeof(first));
	/* Not from offset 0, so that it stays the same copy. */
	ret = kvfs_io_pread_exact(fd, (char *)buf + sizeof(first), len - sizeof(first), sizeof(first));
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "cannot read %s", path);
	out->at = now();
	ret = kvfs_ring_count(buf, len, &out->meta, &out->unread, &out->missed);
	return ret < 0 ? kvfs_err_set(err, -ret, "%s does not hold together", path) : 0;
}

static void pause_until(double t, const volatile sig_atomic_t *stop)
{
	while (!*stop && now() < t) {
		double left = t - now();
		struct timespec ts = { .tv_sec = left > 0 ? (time_t)left : 0 };

		ts.tv_nsec = left > 0 ? (left - ts.tv_sec) * 1e9 : 0;
		nanosleep(&ts, NULL);	/* a signal ends it */
	}
}

int stats_live(const struct operand *operands, size_t n, bool once, const volatile sig_atomic_t *stop,
	       FILE *out, struct kvfs_err *err)
{
	_cleanup_free_ struct sample *before = calloc(n, sizeof(*before));
	int ret;

	if (!before)
		return kvfs_err_sys(err, ENOMEM, "kview-trace");
	for (size_t i = 0; i < n; i++) {
		ret = take(operands[i].path, &before[i], err);
		if (ret < 0)
			return ret;
	}
	do {
		pause_until(before[0].at + 1, stop);
		head(out);
		for (size_t i = 0; i < n; i++) {
			struct sample s;

			ret = take(operands[i].path, &s, err);
			if (ret < 0)
				return ret;
			line(out, operands[i].cpu, &s,
			     s.meta.entries > before[i].meta.entries ?
			     (s.meta.entries - before[i].meta.entries) / (s.at - before[i].at) : 0);
			before[i] = s;
		}
		fflush(out);
	} while (!once && !*stop);
	return 0;
}

static int saved(const struct operand *operand, FILE *out, struct kvfs_err *err)
{
	struct ring ring;
	struct sample s = { 0 };
	uint64_t first = 0, last = 0;
	int ret = ring_open_saved(&ring, operand->path, operand->cpu, err);

	if (ret < 0)
		return ret;
	while (ring_fill(&ring) > 0) {
		if (ring.events == 1)
			first = ring.event.ts;
		last = ring.event.ts;
		ring_advance(&ring);
	}
	s.meta = ring.meta;
	s.unread = ring.events;
	s.missed = ring.events_lost;
	line(out, operand->cpu, &s, clock_is_ns(operand->clock) && last > first ?
	     (ring.events - 1) * 1e9 / (last - first) : 0);
	if (ring.broken)
		ret = kvfs_err_set(err, EBADMSG, "%s does not hold together", operand->path);
	ring_close(&ring);
	return ret;
}

int stats_saved(const struct operand *operands, size_t n, FILE *out, struct kvfs_err *err)
{
	int ret = 0;

	head(out);
	for (size_t i = 0; i < n && ret == 0; i++)
		ret = saved(&operands[i], out, err);
	return ret;
}
