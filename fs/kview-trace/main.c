// SPDX-License-Identifier: GPL-2.0-only
/*
 * kview-trace: prints the events of trace rings, consumed from their mappings or read from saved
 * copies, several CPUs merged by time. Exit status: 0, 1 if something failed, 2 if the command
 * line is wrong.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/number.h"
#include "kview-trace/clock.h"
#include "kview-trace/decode.h"
#include "kview-trace/merge.h"
#include "kview-trace/ring.h"
#include "kview-trace/stats.h"

#define EXIT_USAGE 2

static volatile sig_atomic_t stop;

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
	      "Print the events of trace rings (MOUNT/trace/cpuN), several CPUs merged by time;\n"
	      "rings of different trace clocks one after another.\n"
	      "\n"
	      "  RINGs are consumed through their mappings, as events are written, until a\n"
	      "  signal comes. A trace_pipe_raw of tracefs is a RING, too.\n"
	      "\n"
	      "  -f, --file         SAVED are copies of rings, made with cp\n"
	      "  -1, --once         end when there is nothing more to print\n"
	      "  -s, --stats        print counters every second, and no events; consume nothing\n"
	      "  -t, --tracing=DIR  take the formats of events from DIR/events, a copy of\n"
	      "                     what tracefs had where SAVED was made\n"
	      "  -c, --clock=NAME   the trace clock of all rings (default: that of each ring,\n"
	      "                     or of this machine)\n"
	      "  -n, --numeric      print addresses as numbers; this starts faster\n"
	      "  -h, --help         print this help and exit\n"
	      "  -V, --version      print the version and exit\n",
	      out);
}

static void on_signal(int sig)
{
	stop = 1;
}

/* The number in the last cpuN of a path; -1 if there is none. */
static int cpu_of(const char *path)
{
	const char *end = path + strlen(path);
	int cpu = -1;

	for (const char *p = strstr(path, "cpu"); p; p = strstr(p + 1, "cpu")) {
		const char *digits = p + 3;
		uint64_t nr;

		if (kvfs_number_take(&digits, end, 10, INT_MAX, &nr) == 0)
			cpu = (int)nr;
	}
	return cpu;
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
		rings[i].clock = operand->clock;
		rings[i].index = i;
	}
	return 0;
}

/* Closes the rings. Returns ret, or -EBADMSG if all else went well and one of them is broken. */
static int close_rings(const struct options *o, struct ring *rings, int ret, struct kvfs_err *err)
{
	unsigned long long events = 0, lost = 0;

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
	return ret;
}

static int print_rings(const struct options *o, struct kvfs_err *err)
{
	const struct decoder_config config = { .tracing = o->tracing, .numeric = o->numeric };
	_cleanup_free_ struct ring *rings = calloc(o->nr, sizeof(*rings));
	struct decoder *decoder = NULL;
	struct merge merge;
	int ret;

	if (!rings)
		return kvfs_err_sys(err, ENOMEM, "kview-trace");
	ret = decoder_create(&config, &decoder, err);
	if (ret == 0)
		ret = open_rings(o, rings, err);
	if (ret == 0) {
		merge_init(&merge, rings, o->nr, decoder, &stop, stdout);
		ret = merge_print(&merge, !o->saved && !o->once, err);
		if (ret == 0 && !o->saved)
			ret = merge_print_taken(&merge, err);
		ret = close_rings(o, rings, ret, err);
	}
	decoder_destroy(decoder);
	return ret;
}

/* --clock is the clock of all rings. Otherwise --tracing says that they are from elsewhere. */
static int load_clocks(struct options *o, struct kvfs_err *err)
{
	for (size_t i = 0; i < o->nr; i++) {
		struct operand *operand = &o->operands[i];
		int ret = 0;

		if (o->clock) {
			operand->clock = strdup(o->clock);
			ret = operand->clock ? 0 : kvfs_err_sys(err, ENOMEM, "kview-trace");
		} else if (!o->tracing) {
			ret = clock_load(operand->path, &operand->clock, err);
		}
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int run(struct options *o, struct kvfs_err *err)
{
	int ret = load_clocks(o, err);

	if (ret < 0)
		return ret;
	if (!o->stats)
		return print_rings(o, err);
	return o->saved ? stats_saved(o->operands, o->nr, stdout, err) :
			  stats_live(o->operands, o->nr, o->once, &stop, stdout, err);
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

		o->operands[i] = (struct operand) { .path = argv[optind + i], .cpu = cpu < 0 ? (int)i : cpu };
	}
	return o->operands;
}

int main(int argc, char *argv[])
{
	/*
	 * A signal does not cut off what is being written. A second one ends the program even if the
	 * output is not taken.
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
	for (size_t i = 0; i < o.nr; i++)
		free(o.operands[i].clock);
	free(o.operands);
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
