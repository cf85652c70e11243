// SPDX-License-Identifier: GPL-2.0-only
#include "kview-trace/decode.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <traceevent/event-parse.h>
#include <traceevent/trace-seq.h>
#include <tracefs/tracefs.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "kernel/ksyms.h"
#include "kview-trace/formats.h"

#define PRINTK_FORMATS_MAX (64U << 20)

struct decoder {
	struct tep_handle *tep;
	struct formats *formats;
	struct kvfs_ksyms_names *symbols;	/* loaded when an address is to be named first */
	bool want_symbols;
	const char *tracing;	/* where names of tasks are looked up again; borrowed */
	time_t cmdlines_at;	/* when that was done last */
	bool local;		/* it is this machine's tracefs */
	bool is_ns;		/* the clock counts nanoseconds */
};

/* Those of trace_clocks[] in kernel/trace/trace.c that are not in nanoseconds. */
bool decoder_clock_is_ns(const char *clock)
{
	return !clock || (strcmp(clock, "counter") != 0 && strcmp(clock, "x86-tsc") != 0 &&
			  strcmp(clock, "ppc-tb") != 0 && strcmp(clock, "uptime") != 0);
}

/* Names for addresses, as in "tracing_mark_write: ". Without them there are numbers. */
static char *resolve(void *priv, unsigned long long *addr, char **module)
{
	struct decoder *decoder = priv;
	const char *name;
	uint64_t start = 0;

	if (decoder->want_symbols) {
		/* Without names, addresses are printed. */
		kvfs_ksyms_names_load("/proc/kallsyms", &decoder->symbols, NULL);
		decoder->want_symbols = false;
	}
	name = decoder->symbols ? kvfs_ksyms_names_find(decoder->symbols, *addr, &start) : NULL;
	if (!name)
		return NULL;
	*addr = start;
	*module = NULL;
	return (char *)name;
}

/* What the %s of a trace_printk() points to. */
static void load_printk_formats(struct decoder *decoder)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len;

	snprintf(path, sizeof(path), "%s/printk_formats", decoder->tracing);
	if (kvfs_io_read_file(path, PRINTK_FORMATS_MAX, &text, &len) == 0)
		tep_parse_printk_formats(decoder->tep, text);
}

int decoder_create(const struct decoder_config *config, struct decoder **out, struct kvfs_err *err)
{
	struct decoder *decoder = calloc(1, sizeof(*decoder));
	const char *dir = config->tracing;

	if (!decoder)
		return kvfs_err_sys(err, ENOMEM, "the decoder");
	decoder->local = !config->tracing;
	if (!dir && tracefs_tracing_dir_is_mounted(false, &dir) <= 0) {
		free(decoder);
		return kvfs_err_set(err, ENOENT, "tracefs is not mounted, and it says how to decode events (--tracing DIR gives a copy)");
	}
	decoder->tracing = dir;
	decoder->is_ns = decoder_clock_is_ns(config->clock);
	decoder->want_symbols = decoder->local && !config->numeric;
	tep_set_loglevel(TEP_LOG_NONE);
	decoder->tep = tep_alloc();
	decoder->formats = formats_open(dir);
	if (!decoder->tep || !decoder->formats) {
		decoder_destroy(decoder);
		return kvfs_err_set(err, ENOENT, "no event formats in %s/events", dir);
	}
	/* Rings are of this machine, or of one like it. */
	tep_set_long_size(decoder->tep, sizeof(long));
	tep_set_function_resolver(decoder->tep, resolve, decoder);
	load_printk_formats(decoder);
	tracefs_load_cmdlines(dir, decoder->tep);
	*out = decoder;
	return 0;
}

void decoder_destroy(struct decoder *decoder)
{
	if (!decoder)
		return;
	formats_close(decoder->formats);
	if (decoder->tep)
		tep_free(decoder->tep);
	kvfs_ksyms_names_destroy(decoder->symbols);
	free(decoder);
}

/* New tasks get known at most once a second. */
static void know_task(struct decoder *decoder, struct tep_record *record)
{
	int pid = tep_data_pid(decoder->tep, record);
	time_t now;

	if (!decoder->local || pid <= 0 || tep_is_pid_registered(decoder->tep, pid))
		return;
	now = time(NULL);
	if (now == decoder->cmdlines_at)
		return;
	decoder->cmdlines_at = now;
	tracefs_load_cmdlines(decoder->tracing, decoder->tep);
}

static void print_bytes(const struct kvfs_ring_event *event, int cpu, FILE *out)
{
	const uint8_t *data = event->data;

	fprintf(out, "           <unknown> [%03d] %llu:", cpu, (unsigned long long)event->ts);
	for (uint32_t i = 0; i < event->len; i++)
		fprintf(out, " %02x", data[i]);
	fputc('\n', out);
}

void decoder_print(struct decoder *decoder, int cpu, const struct kvfs_ring_event *event,
		   FILE *out)
{
	struct tep_record record = {
		.ts = event->ts,
		.size = event->len,
		.record_size = event->len,
		.data = (void *)event->data,
		.cpu = cpu,
		.ref_count = 1,
	};
	struct trace_seq seq;
	uint16_t id = 0;

	/* Of the fields that all events have, the first is the id and the last one ends at byte 8. */
	if (event->len >= 8)
		memcpy(&id, event->data, sizeof(id));
	if (event->len < 8 || !formats_load(decoder->formats, decoder->tep, id)) {
		print_bytes(event, cpu, out);
		return;
	}
	know_task(decoder, &record);
	trace_seq_init(&seq);
	tep_print_event(decoder->tep, &seq, &record,
			decoder->is_ns ? "%16s-%-7d [%03d] %s %6.1000d: %s: %s" :
					 "%16s-%-7d [%03d] %s %12d: %s: %s",
			TEP_PRINT_COMM, TEP_PRINT_PID, TEP_PRINT_CPU, TEP_PRINT_LATENCY,
			TEP_PRINT_TIME, TEP_PRINT_NAME, TEP_PRINT_INFO);
	/* What is written to trace_marker mostly has its own. */
	trace_seq_terminate(&seq);
	while (seq.len > 0 && seq.buffer[seq.len - 1] == '\n')
		seq.buffer[--seq.len] = '\0';
	fprintf(out, "%s\n", seq.buffer);
	trace_seq_destroy(&seq);
}

char *decoder_clock(const char *instance)
{
	struct tracefs_instance *t = NULL;
	const char *dir;
	char *clock;

	/* Otherwise libtracefs would mount it. */
	if (tracefs_tracing_dir_is_mounted(false, &dir) <= 0)
		return NULL;
	if (instance) {
		t = tracefs_instance_alloc(dir, instance);
		if (!t)
			return NULL;
	}
	clock = tracefs_get_clock(t);
	tracefs_instance_free(t);
	return clock;
}
