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

#include "base/cleanup.h"
#include "base/io.h"
#include "kernel/ksyms.h"
#include "kview-trace/formats.h"
#include "trace/find.h"

#define TEXT_MAX (64U << 20)

struct decoder {
	struct tep_handle *tep;
	struct formats *formats;
	struct kvfs_ksyms_names *symbols;	/* loaded when the first address is printed */
	bool want_symbols;
	char tracing[PATH_MAX];
	time_t cmdlines_at;	/* when names of tasks were loaded last */
	bool local;		/* tracing is this machine's tracefs */
};

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

/* Reads a file of the tracing folder; NULL if there is none, as in a copy that lacks it. */
static char *load_text(const struct decoder *decoder, const char *name)
{
	char path[PATH_MAX + 64], *text = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", decoder->tracing, name);
	return kvfs_io_read_file(path, TEXT_MAX, &text, &len) == 0 ? text : NULL;
}

/* Loads the texts that a %s of trace_printk() points to. */
static void load_printk_formats(struct decoder *decoder)
{
	_cleanup_free_ char *text = load_text(decoder, "printk_formats");

	if (text)
		tep_parse_printk_formats(decoder->tep, text);
}

/* Loads the names of tasks that the kernel keeps for its own output. */
static void load_cmdlines(struct decoder *decoder)
{
	_cleanup_free_ char *text = load_text(decoder, "saved_cmdlines");

	if (text)
		tep_parse_saved_cmdlines(decoder->tep, text);
}

static int find_tracing(struct decoder *decoder, const char *dir, struct kvfs_err *err)
{
	int ret;

	decoder->local = !dir;
	if (decoder->local)
		ret = kvfs_trace_find(false, decoder->tracing, sizeof(decoder->tracing), err);
	else
		ret = snprintf(decoder->tracing, sizeof(decoder->tracing), "%s", dir) < (int)sizeof(decoder->tracing) ?
			      0 : kvfs_err_sys(err, ENAMETOOLONG, "%s", dir);
	if (ret == -ENOENT)
		return kvfs_err_set(err, ENOENT, "tracefs is not mounted, and it says how to decode events (--tracing DIR gives a copy)");
	return ret;
}

static int fill_in(struct decoder *decoder, const struct decoder_config *config, struct kvfs_err *err)
{
	int ret = find_tracing(decoder, config->tracing, err);

	if (ret < 0)
		return ret;
	decoder->want_symbols = decoder->local && !config->numeric;
	ret = formats_open(decoder->tracing, &decoder->formats);
	if (ret == -ENOENT)
		return kvfs_err_set(err, ENOENT, "no event formats in %s/events", decoder->tracing);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "cannot read %s/events", decoder->tracing);
	tep_set_loglevel(TEP_LOG_NONE);
	decoder->tep = tep_alloc();
	if (!decoder->tep)
		return kvfs_err_sys(err, ENOMEM, "the decoder");
	/* A ring is of this machine, or of one like it. */
	tep_set_long_size(decoder->tep, sizeof(long));
	tep_set_function_resolver(decoder->tep, resolve, decoder);
	load_printk_formats(decoder);
	load_cmdlines(decoder);
	return 0;
}

int decoder_create(const struct decoder_config *config, struct decoder **out, struct kvfs_err *err)
{
	struct decoder *decoder = calloc(1, sizeof(*decoder));
	int ret;

	if (!decoder)
		return kvfs_err_sys(err, ENOMEM, "the decoder");
	ret = fill_in(decoder, config, err);
	if (ret < 0) {
		decoder_destroy(decoder);
		return ret;
	}
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

/* Looks up the name of a task that is new, at most once a second. */
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
	load_cmdlines(decoder);
}

static void print_bytes(const struct kvfs_ring_event *event, int cpu, FILE *out)
{
	const uint8_t *data = event->data;

	fprintf(out, "           <unknown> [%03d] %llu:", cpu, (unsigned long long)event->ts);
	for (uint32_t i = 0; i < event->len; i++)
		fprintf(out, " %02x", data[i]);
	fputc('\n', out);
}

int decoder_print(struct decoder *decoder, int cpu, bool is_ns, const struct kvfs_ring_event *event,
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
	int known = 0;

	/* Of the fields that all events have, the id is the first, and the last one ends at byte 8. */
	if (event->len >= 8) {
		memcpy(&id, event->data, sizeof(id));
		known = formats_load(decoder->formats, decoder->tep, id);
	}
	if (known < 0)
		return known;
	if (!known) {
		print_bytes(event, cpu, out);
		return 0;
	}
	know_task(decoder, &record);
	trace_seq_init(&seq);
	tep_print_event(decoder->tep, &seq, &record,
			is_ns ? "%16s-%-7d [%03d] %s %6.1000d: %s: %s" : "%16s-%-7d [%03d] %s %12d: %s: %s",
			TEP_PRINT_COMM, TEP_PRINT_PID, TEP_PRINT_CPU, TEP_PRINT_LATENCY,
			TEP_PRINT_TIME, TEP_PRINT_NAME, TEP_PRINT_INFO);
	/* Most texts written to trace_marker end with a newline of their own. */
	trace_seq_terminate(&seq);
	while (seq.len > 0 && seq.buffer[seq.len - 1] == '\n')
		seq.buffer[--seq.len] = '\0';
	fprintf(out, "%s\n", seq.buffer);
	trace_seq_destroy(&seq);
	return 0;
}
