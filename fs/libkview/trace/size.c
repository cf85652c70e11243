// SPDX-License-Identifier: GPL-2.0-only
#include "trace/size.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/number.h"
#include "kernel/lockdown.h"
#include "trace/ring.h"
#include "trace/tracefs.h"

/* Of 8,192 CPUs, every second one takes 20 KiB. */
#define TEXT_MAX (64U << 10)

/* Sub-buffers have at most 128 pages of at most 64 KiB. */
#define SUBBUF_KIB_MAX (KVFS_RING_SUBBUF_MAX / 1024)

uint64_t kvfs_trace_size_len(uint64_t size_kib, uint64_t subbuf_kib)
{
	uint64_t subbuf = subbuf_kib * 1024, payload = subbuf - KVFS_RING_HDR_LEN, bytes, nr, len;

	if (!kvfs_mul_u64(size_kib, 1024, &bytes))
		return 0;
	nr = bytes / payload + (bytes % payload != 0);
	if (nr < 2)
		nr = 2;
	/* The reader's sub-buffer, and the meta page, which is padded to the size of one. */
	if (!kvfs_mul_u64(nr + 2, subbuf, &len) || len > INT64_MAX)
		return 0;
	return len;
}

bool kvfs_trace_size_equal(const struct kvfs_trace_size *a, const struct kvfs_trace_size *b)
{
	return a->size_kib == b->size_kib && a->subbuf_kib == b->subbuf_kib && a->exists == b->exists;
}

int kvfs_trace_size_list_has(const char *list, unsigned int number)
{
	const char *p = list, *end = list + strlen(list);

	if (end > p && end[-1] == '\n')
		end--;
	while (p < end) {
		uint64_t first, last;

		if (kvfs_number_take(&p, end, 10, UINT_MAX, &first) < 0)
			return -EBADMSG;
		last = first;
		if (p < end && *p == '-') {
			p++;
			if (kvfs_number_take(&p, end, 10, UINT_MAX, &last) < 0)
				return -EBADMSG;
		}
		if (number >= first && number <= last)
			return 1;
		if (p < end && *p++ != ',')
			return -EBADMSG;
	}
	return 0;
}

/* Loads the number at the beginning of a file. "7 (expanded: 1408)" is 7: a ring not used yet. */
static int load_number(const char *path, uint64_t max, uint64_t *out)
{
	_cleanup_free_ char *text = NULL;
	const char *p;
	size_t len;
	int ret = kvfs_io_read_file(path, TEXT_MAX, &text, &len);

	if (ret < 0)
		return ret;
	p = text;
	return kvfs_number_take(&p, text + len, 10, max, out) < 0 ? -EBADMSG : 0;
}

/* Returns 1, 0, or -errno. */
static int is_online(const char *online, unsigned int cpu)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int ret = kvfs_io_read_file(online, TEXT_MAX, &text, &len);

	if (ret == -ENOENT)
		return 1;
	return ret < 0 ? ret : kvfs_trace_size_list_has(text, cpu);
}

/* Tells whether the ring has counted an event, of whatever kind. */
static int has_counted(const char *dir)
{
	struct kvfs_snapshot_stats stats;
	int ret = kvfs_tracefs_load_stats(dir, &stats);

	return ret < 0 ? ret : (stats.unread | stats.overrun | stats.dropped | stats.read) != 0;
}

static int load_subbuf_kib(const char *dir, uint64_t *out)
{
	char path[PATH_MAX];
	int ret;

	if (snprintf(path, sizeof(path), "%s/../../buffer_subbuf_size_kb", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	ret = load_number(path, SUBBUF_KIB_MAX, out);
	if (ret == -ENOENT) {
		*out = (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
		return 0;
	}
	return ret == 0 && *out == 0 ? -EBADMSG : ret;
}

int kvfs_trace_size_load(const char *dir, unsigned int cpu, const char *online,
			 struct kvfs_trace_size *out)
{
	char path[PATH_MAX];
	int ret;

	memset(out, 0, sizeof(*out));
	if (kvfs_lockdown_is_confidential())
		return -EPERM;
	if (snprintf(path, sizeof(path), "%s/buffer_size_kb", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	ret = load_number(path, UINT64_MAX, &out->size_kib);
	if (ret == 0)
		ret = load_subbuf_kib(dir, &out->subbuf_kib);
	if (ret == 0)
		ret = is_online(online, cpu);
	if (ret == 0)
		ret = has_counted(dir);
	if (ret < 0)
		return ret;
	out->exists = ret > 0;
	if (out->exists) {
		out->len = kvfs_trace_size_len(out->size_kib, out->subbuf_kib);
		if (out->len == 0)
			return -EBADMSG;
	}
	return 0;
}
