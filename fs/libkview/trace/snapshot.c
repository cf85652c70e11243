// SPDX-License-Identifier: GPL-2.0-only
#include "trace/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "trace/scan.h"

/*
 * Copies newest first and stops at the first sub-buffer that was overwritten meanwhile: older
 * ones were overwritten too, or are next. Returns the number copied.
 */
static size_t copy_subbufs(const uint8_t *mapped, const struct kvfs_ring_meta *meta,
			   const struct kvfs_scan_subbuf *subbufs, size_t n, uint8_t *copy)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t off = kvfs_ring_subbuf_off(meta, subbufs[i].id);

		if (!kvfs_scan_copy(mapped + off, meta->subbuf_size, subbufs[i].hdr, i == 0, copy + off))
			return i;
	}
	return n;
}

int kvfs_snapshot_take(const void *mapped, const struct kvfs_ring_meta *meta, void *copy)
{
	_cleanup_free_ struct kvfs_scan_subbuf *subbufs = calloc(meta->nr_subbufs, sizeof(*subbufs));

	if (!subbufs)
		return -ENOMEM;
	for (int i = 0; i < KVFS_SCAN_ATTEMPTS; i++) {
		size_t n = kvfs_scan(mapped, meta, subbufs);

		if (n > 0 && copy_subbufs(mapped, meta, subbufs, n, copy) == 0)
			continue;
		kvfs_scan_copy_meta(mapped, meta, copy);
		return 0;
	}
	return -EBUSY;
}

static int parse_counter(const char *text, const char *key, uint64_t *out)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *p;

		line += *line == '\n';
		if (strncmp(line, key, len) != 0 || strncmp(line + len, ": ", 2) != 0)
			continue;
		p = line + len + 2;
		return kvfs_number_take(&p, p + strlen(p), 10, UINT64_MAX, out) < 0 ? -EBADMSG : 0;
	}
	return -EBADMSG;
}

int kvfs_snapshot_parse_stats(const char *text, struct kvfs_snapshot_stats *out)
{
	if (parse_counter(text, "entries", &out->unread) < 0 ||
	    parse_counter(text, "overrun", &out->overrun) < 0 ||
	    parse_counter(text, "dropped events", &out->dropped) < 0 ||
	    parse_counter(text, "read events", &out->read) < 0)
		return -EBADMSG;
	return 0;
}

static int count_subbuf(const uint8_t *copy, const struct kvfs_ring_meta *meta, uint32_t id,
			uint64_t *nr)
{
	struct kvfs_ring_cursor c;
	struct kvfs_ring_event event;
	int ret = kvfs_ring_first(copy + kvfs_ring_subbuf_off(meta, id), meta->subbuf_size, &c);

	*nr = 0;
	while (ret >= 0 && (ret = kvfs_ring_next(&c, &event)) > 0)
		(*nr)++;
	return ret;
}

/* *out is where the first nr events of a sub-buffer end, bytes of data. */
static int skip_events(const uint8_t *copy, const struct kvfs_ring_meta *meta, uint32_t id,
		       uint64_t nr, uint32_t *out)
{
	struct kvfs_ring_cursor c;
	struct kvfs_ring_event event;
	int ret = kvfs_ring_first(copy + kvfs_ring_subbuf_off(meta, id), meta->subbuf_size, &c);

	while (ret >= 0 && nr-- > 0)
		ret = kvfs_ring_next(&c, &event);
	*out = c.pos;
	return ret < 0 ? ret : 0;
}

/*
 * Places the reader after it was moved without the mapping: the unread events are the newest
 * ones of the copy, and the reader stands where they begin.
 */
static int find_reader(const uint8_t *copy, size_t len, struct kvfs_ring_meta *meta,
		       uint64_t unread)
{
	_cleanup_free_ uint32_t *ids = calloc(meta->nr_subbufs, sizeof(*ids));
	struct kvfs_ring_meta all = *meta;
	uint64_t nr = 0;
	int n, ret = 0;

	if (!ids)
		return -ENOMEM;
	/* No sub-buffer has this id, so the order is that of time alone. */
	all.reader.id = UINT32_MAX;
	n = kvfs_ring_order(copy, len, &all, ids);
	if (n <= 0)
		return n;
	for (int i = n - 1; i >= 0; i--) {
		meta->reader.id = ids[i];
		ret = count_subbuf(copy, meta, ids[i], &nr);
		if (ret < 0 || nr >= unread)
			break;
		unread -= nr;
	}
	if (ret < 0)
		return ret;
	return skip_events(copy, meta, meta->reader.id, nr > unread ? nr - unread : 0,
			   &meta->reader.read);
}

/*
 * Drops the sub-buffers that the reader has finished. Linux 6.12 empties a sub-buffer when the
 * reader leaves it, 6.18 leaves it as it is until it is written again. The reader may also have
 * moved after its sub-buffer was copied.
 */
static void drop_read(uint8_t *copy, struct kvfs_ring_meta *meta)
{
	struct kvfs_ring_hdr reader, hdr;
	uint32_t len;

	memcpy(&reader, copy + kvfs_ring_subbuf_off(meta, meta->reader.id), sizeof(reader));
	len = kvfs_ring_commit_len(reader.commit);
	/* The copy is older than the meta data: the reader has read past its end. */
	if (meta->reader.read > len)
		meta->reader.read = len;
	for (uint32_t id = 0; id < meta->nr_subbufs && len > 0; id++) {
		uint8_t *subbuf = copy + kvfs_ring_subbuf_off(meta, id);

		memcpy(&hdr, subbuf, sizeof(hdr));
		if (kvfs_ring_commit_len(hdr.commit) > 0 && hdr.time_stamp < reader.time_stamp)
			memset(subbuf, 0, meta->subbuf_size);
	}
}

static uint64_t clamp(uint64_t v, uint64_t low, uint64_t high)
{
	return v < low ? low : v > high ? high : v;
}

/*
 * Sets the counters to those of the copy's moment. Events that the copy lacks were overwritten,
 * as many as the overrun counters allow, and the rest were written later.
 */
static int count(const uint8_t *copy, size_t len, struct kvfs_ring_meta *meta,
		 const struct kvfs_snapshot_stats *before, const struct kvfs_snapshot_stats *after)
{
	uint64_t written = after->unread + after->overrun + after->read;
	uint64_t unread, missed;
	int ret = kvfs_ring_count(copy, len, meta, &unread, &missed);

	if (ret < 0)
		return ret;
	meta->overrun = written > meta->read + unread ? written - meta->read - unread : 0;
	meta->overrun = clamp(meta->overrun, before->overrun, after->overrun);
	meta->entries = meta->overrun + meta->read + unread;
	return 0;
}

int kvfs_snapshot_settle(void *copy, const struct kvfs_snapshot_stats *before,
			 const struct kvfs_snapshot_stats *after)
{
	struct kvfs_ring_meta meta;
	size_t len;
	int ret = 0;

	memcpy(&meta, copy, sizeof(meta));
	len = kvfs_ring_len(&meta);
	if (before && after && meta.read < before->read) {
		ret = find_reader(copy, len, &meta, after->unread);
		meta.read = after->read;
	}
	drop_read(copy, &meta);
	if (ret == 0 && before && after)
		ret = count(copy, len, &meta, before, after);
	memcpy(copy, &meta, sizeof(meta));
	return ret;
}
