// SPDX-License-Identifier: GPL-2.0-only
/*
 * kview-trace: prints the events of trace rings, consumed from their mappings or out of saved
 * copies, those of several CPUs merged by time. Exit status: 0, 1 something failed, 2 the
 * command line is wrong.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "kview-trace/decode.h"
#include "kview-trace/ring.h"
#include "kview-trace/stats.h"

#define EXIT_USAGE 2

/*
 * poll(2) wakes at buffer_percent, which is the administrator's; in between it is looked
 * after this time.
 */
#define IDLE_MS 100

static volatile bool stop;

struct options {
	bool saved, once, stats, numeric;
	const char *tracing, *clock;
	struct operand *operands;
	size_t nr;
};

static void usage(FILE *out)
{
	fputs("Usage: kview-trace [OPTION]... RING...\n"
	      "       kview-trace --file [OPTION]... SAVED...\n"
	      "Print the events of trace rings (MOUNT/trace/cpuN), several CPUs merged by time.\n"
	      "\n"
	      "  RINGs are consumed through their mappings, as events are written, until a\n"
	      "  signal comes. A trace_pipe_raw of tracefs is a RING, too.\n"
	      "\n"
	      "  -f, --file         SAVED are copies of rings, made with cp\n"
	      "  -1, --once         end when there is nothing more to print\n"
	      "  -s, --stats        print counters every second, and no events; consume nothing\n"
	      "  -t, --tracing=DIR  take the formats of events from DIR/events, a copy of\n"
	      "                     what tracefs had where SAVED was made\n"
	      "  -c, --clock=NAME   the trace clock of that time (default: this machine's)\n"
	      "  -n, --numeric      print addresses as numbers; this starts faster\n"
	      "  -h, --help         print this help and exit\n"
	      "  -V, --version      print the version and exit\n",
	      out);
}

static void on_signal(int sig)
{
	stop = true;
}

/* The number in the last cpuN of a path; -1 if there is none. */
static int cpu_of(const char *path)
{
	const char *found = NULL;

	for (const char *p = strstr(path, "cpu"); p; p = strstr(p + 1, "cpu")) {
		if (p[3] >= '0' && p[3] <= '9')
			found = p;
	}
	return found ? atoi(found + 3) : -1;
}

/* The instance that a path leads through; NULL if it is of the top level. To be freed. */
static char *instance_of(const char *path)
{
	const char *start = strstr(path, "instances/"), *end;

	if (!start)
		return NULL;
	start += strlen("instances/");
	end = strchr(start, '/');
	return end ? strndup(start, end - start) : NULL;
}

/* The ring whose pending event is the oldest; NULL if none has one. */
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
 * Looks until every ring has an event or was empty after the last one that was found: what
 * comes later into a ring that was empty is younger. Returns 0 or -errno.
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

static void tell_lost(struct ring *ring, FILE *out)
{
	if (ring->nr_lost)
		fprintf(out, "CPU:%d [LOST %llu EVENTS]\n", ring->cpu, (unsigned long long)ring->nr_lost);
	else
		fprintf(out, "CPU:%d [LOST EVENTS]\n", ring->cpu);
	ring->lost = false;
}

static void idle(struct ring *rings, size_t n)
{
	struct pollfd *fds = calloc(n, sizeof(*fds));

	fflush(stdout);
	for (size_t i = 0; fds && i < n; i++)
		fds[i] = (struct pollfd) { .fd = rings[i].fd, .events = POLLIN };
	poll(fds, fds ? n : 0, IDLE_MS);
	free(fds);
}

static int print_event(struct ring *ring, struct decoder *decoder, struct kvfs_err *err)
{
	if (ring->lost)
		tell_lost(ring, stdout);
	decoder_print(decoder, ring->cpu, &ring->event, stdout);
	return ferror(stdout) ? kvfs_err_sys(err, EPIPE, "cannot write") : 0;
}

/* Prints until there is no more, or a signal comes. */
static int print(struct ring *rings, size_t n, bool follow, struct decoder *decoder,
		 struct kvfs_err *err)
{
	while (!stop) {
		struct ring *ring;
		int ret = fill(rings, n, err);

		if (ret < 0)
			return ret;
		ring = oldest(rings, n);
		if (!ring && !follow)
			break;
		if (!ring)
			idle(rings, n);
		/* As long as no ring has to be looked after. */
		while (ring && !stop) {
			ret = print_event(ring, decoder, err);
			if (ret < 0)
				return ret;
			ring_advance(ring);
			ring = ring->pending ? oldest(rings, n) : NULL;
		}
	}
	return 0;
}

/*
 * After a signal: prints the rest of what GET_READER has taken, whole sub-buffers, which no
 * reader will see any more.
 */
static int print_taken(struct ring *rings, size_t n, struct decoder *decoder, struct kvfs_err *err)
{
	struct ring *ring;

	while ((ring = oldest(rings, n))) {
		int ret = print_event(ring, decoder, err);

		if (ret < 0)
			return ret;
		ring_advance(ring);
	}
	return 0;
}

static int open_rings(const struct options *o, struct ring *rings, struct kvfs_err *err)
{
	for (size_t i = 0; i < o->nr; i++) {
		const struct operand *operand = &o->operands[i];
		int ret = o->saved ? ring_open_saved(&rings[i], operand->path, operand->cpu, err) :
				     ring_open_live(&rings[i], operand->path, operand->cpu, err);

		if (ret < 0) {
			while (i-- > 0)
				ring_close(&rings[i]);
			return ret;
		}
	}
	return 0;
}

static int print_rings(const struct options *o, const char *clock, struct kvfs_err *err)
{
	const struct decoder_config config = {
		.tracing = o->tracing,
		.clock = clock,
		.numeric = o->numeric,
	};
	struct ring *rings = calloc(o->nr, sizeof(*rings));
	struct decoder *decoder = NULL;
	unsigned long long events = 0, lost = 0;
	int ret;

	if (!rings)
		return kvfs_err_sys(err, ENOMEM, "kview-trace");
	ret = decoder_create(&config, &decoder, err);
	if (ret == 0)
		ret = open_rings(o, rings, err);
	if (ret < 0) {
		decoder_destroy(decoder);
		free(rings);
		return ret;
	}
	ret = print(rings, o->nr, !o->saved && !o->once, decoder, err);
	if (ret == 0 && !o->saved)
		ret = print_taken(rings, o->nr, decoder, err);
	for (size_t i = 0; i < o->nr; i++) {
		events += rings[i].events - rings[i].pending;
		lost += rings[i].events_lost;
		if (rings[i].broken && ret == 0)
			ret = kvfs_err_set(err, EBADMSG, "%s does not hold together", rings[i].path);
		ring_close(&rings[i]);
	}
	fflush(stdout);
	if (!o->saved && !o->once)
		fprintf(stderr, "kview-trace: %llu events, %llu lost\n", events, lost);
	decoder_destroy(decoder);
	free(rings);
	return ret;
}

static int run(const struct options *o, struct kvfs_err *err)
{
	char *instance = NULL, *clock = NULL;
	int ret;

	if (o->clock) {
		clock = strdup(o->clock);
	} else if (!o->tracing) {
		instance = instance_of(o->operands[0].path);
		clock = decoder_clock(instance);
	}
	if (!o->stats)
		ret = print_rings(o, clock, err);
	else if (o->saved)
		ret = stats_saved(o->operands, o->nr, decoder_clock_is_ns(clock), stdout, err);
	else
		ret = stats_live(o->operands, o->nr, o->once, &stop, stdout, err);
	free(instance);
	free(clock);
	return ret;
}

/* Returns false if the command line is wrong. */
static bool parse(int argc, char *argv[], struct options *o)
{
	static const struct option long_options[] = {
		{ "file", no_argument, NULL, 'f' },
		{ "once", no_argument, NULL, '1' },
		{ "stats", no_argument, NULL, 's' },
		{ "tracing", required_argument, NULL, 't' },
		{ "clock", required_argument, NULL, 'c' },
		{ "numeric", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "f1st:c:nhV", long_options, NULL)) != -1) {
		switch (c) {
		case 'f': o->saved = true; break;
		case '1': o->once = true; break;
		case 's': o->stats = true; break;
		case 't': o->tracing = optarg; break;
		case 'c': o->clock = optarg; break;
		case 'n': o->numeric = true; break;
		case 'h': usage(stdout); exit(EXIT_SUCCESS);
		case 'V': puts("kview-trace " KVFS_VERSION); exit(EXIT_SUCCESS);
		default: return false;
		}
	}
	if (optind == argc) {
		fputs("kview-trace: no ring is given\n", stderr);
		return false;
	}
	o->nr = argc - optind;
	o->operands = calloc(o->nr, sizeof(*o->operands));
	for (size_t i = 0; o->operands && i < o->nr; i++) {
		int cpu = cpu_of(argv[optind + i]);

		o->operands[i] = (struct operand) { argv[optind + i], cpu < 0 ? (int)i : cpu };
	}
	return o->operands;
}

int main(int argc, char *argv[])
{
	/*
	 * What is being written when a signal comes is written to its end. The second one ends the
	 * program even if nobody takes that.
	 */
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_RESETHAND };
	struct options o = { 0 };
	struct kvfs_err err = { 0 };
	int ret;

	if (!parse(argc, argv, &o)) {
		fputs("kview-trace --help tells more\n", stderr);
		return EXIT_USAGE;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	ret = run(&o, &err);
	if (ret < 0)
		fprintf(stderr, "kview-trace: %s\n", err.msg);
	free(o.operands);
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
