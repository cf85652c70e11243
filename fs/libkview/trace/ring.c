// SPDX-License-Identifier: GPL-2.0-only
#include "trace/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

/* enum ring_buffer_type; smaller values are the length of the record in words. */
enum { TYPE_PADDING = 29, TYPE_TIME_EXTEND = 30, TYPE_TIME_STAMP = 31 };

#define EVENT_HDR_LEN 4U
#define DELTA_BITS 27
/* An absolute time stamp has 59 bits; the upper ones are those of the event before. */
#define ABS_TS_BITS 59
#define ABS_TS_MSB (~UINT64_C(0) << ABS_TS_BITS)

int kvfs_ring_parse_meta(const void *buf, size_t len, struct kvfs_ring_meta *out,
			 struct kvfs_err *err)
{
	uint64_t total;

	if (len < sizeof(*out))
		return kvfs_err_set(err, EBADMSG, "%zu bytes are less than a ring's meta page", len);
	memcpy(out, buf, sizeof(*out));
	if (out->meta_struct_len < sizeof(*out) || out->meta_struct_len > out->meta_page_size)
		return kvfs_err_set(err, EBADMSG,
				    "this is no ring: its meta page claims %u bytes of %u",
				    out->meta_struct_len, out->meta_page_size);
	if (out->subbuf_size <= KVFS_RING_HDR_LEN || out->subbuf_size % 8 != 0 ||
	    out->subbuf_size > KVFS_RING_SUBBUF_MAX ||
	    out->meta_page_size % 8 != 0 || out->meta_page_size > KVFS_RING_SUBBUF_MAX)
		return kvfs_err_set(err, EBADMSG,
				    "this is no ring: sub-buffers of %u bytes after a meta page of %u",
				    out->subbuf_size, out->meta_page_size);
	if (out->reader.id >= out->nr_subbufs)
		return kvfs_err_set(err, EBADMSG, "the ring's reader is on sub-buffer %u of %u",
				    out->reader.id, out->nr_subbufs);
	total = out->meta_page_size + (uint64_t)out->nr_subbufs * out->subbuf_size;
	if (total > SIZE_MAX / 2 || out->nr_subbufs > INT32_MAX)
		return kvfs_err_set(err, EBADMSG, "a ring of %u sub-buffers is too large",
				    out->nr_subbufs);
	return 0;
}

uint64_t kvfs_ring_len(const struct kvfs_ring_meta *meta)
{
	return kvfs_ring_subbuf_off(meta, meta->nr_subbufs);
}

uint64_t kvfs_ring_subbuf_off(const struct kvfs_ring_meta *meta, uint32_t id)
{
	return meta->meta_page_size + (uint64_t)id * meta->subbuf_size;
}

int kvfs_ring_first(const void *subbuf, uint32_t size, struct kvfs_ring_cursor *out)
{
	struct kvfs_ring_hdr hdr;

	memset(out, 0, sizeof(*out));
	memcpy(&hdr, subbuf, sizeof(hdr));
	if (kvfs_ring_used(hdr.commit) > size)
		return -EBADMSG;
	out->data = (const uint8_t *)subbuf + KVFS_RING_HDR_LEN;
	out->end = kvfs_ring_commit_len(hdr.commit);
	out->ts = hdr.time_stamp;
	out->missed = kvfs_ring_commit_missed(hdr.commit);
	if (out->missed && kvfs_ring_commit_stored(hdr.commit))
		memcpy(&out->nr_missed, out->data + out->end, sizeof(out->nr_missed));
	return 0;
}

static uint32_t word(const struct kvfs_ring_cursor *c, uint32_t pos)
{
	uint32_t ret;

	memcpy(&ret, c->data + pos, sizeof(ret));
	return ret;
}

/* Splits the two bit fields of struct ring_buffer_event, whose layout depends on the byte order. */
static void split(uint32_t w, unsigned int *type_len, uint32_t *delta)
{
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
		*type_len = w & 31;
		*delta = w >> 5;
	} else {
		*type_len = w >> DELTA_BITS;
		*delta = w & ((1U << DELTA_BITS) - 1);
	}
}

/* As rb_fix_abs_ts(). */
static uint64_t fix_abs_ts(uint64_t abs, uint64_t last)
{
	if (last & ABS_TS_MSB) {
		abs |= last & ABS_TS_MSB;
		if (abs < last)
			abs += UINT64_C(1) << ABS_TS_BITS;
	}
	return abs;
}

/*
 * Steps over one record of any kind. Sets *event if it is an event, or else event->data to NULL.
 * Returns 0, or -EBADMSG with the cursor unmoved.
 */
static int step(struct kvfs_ring_cursor *c, struct kvfs_ring_event *event)
{
	uint32_t left = c->end - c->pos, len, delta, payload = EVENT_HDR_LEN;
	unsigned int type_len;

	event->data = NULL;
	if (left < EVENT_HDR_LEN)
		return -EBADMSG;
	split(word(c, c->pos), &type_len, &delta);
	if (type_len == TYPE_PADDING && delta == 0) {
		/* The rest of the sub-buffer is empty. */
		c->pos = c->end;
		return 0;
	}
	if (type_len >= 1 && type_len < TYPE_PADDING) {
		len = EVENT_HDR_LEN + type_len * 4;
	} else {
		if (left < 2 * EVENT_HDR_LEN)
			return -EBADMSG;
		len = word(c, c->pos + EVENT_HDR_LEN);
		switch (type_len) {
		case TYPE_TIME_EXTEND:
			c->ts += ((uint64_t)len << DELTA_BITS) + delta;
			c->pos += 2 * EVENT_HDR_LEN;
			return 0;
		case TYPE_TIME_STAMP:
			c->ts = fix_abs_ts(((uint64_t)len << DELTA_BITS) + delta, c->ts);
			c->pos += 2 * EVENT_HDR_LEN;
			return 0;
		}
		/* array[0], the length, counts itself and is a multiple of 4. */
		if (len < 4 || len % 4 != 0 || len > left - EVENT_HDR_LEN)
			return -EBADMSG;
		len += EVENT_HDR_LEN;
		payload += 4;
	}
	if (len > left)
		return -EBADMSG;
	if (type_len != TYPE_PADDING) {
		/* The delta of a discarded event does not count (rb_update_read_stamp(), 6.12). */
		c->ts += delta;
		event->ts = c->ts;
		event->data = c->data + c->pos + payload;
		event->len = len - payload;
	}
	c->pos += len;
	return 0;
}

/* The fast path for nearly all records: an event whose header has its length. */
static bool step_short(struct kvfs_ring_cursor *c, struct kvfs_ring_event *event)
{
	uint32_t left = c->end - c->pos, len, delta;
	unsigned int type_len;

	if (left < EVENT_HDR_LEN)
		return false;
	split(word(c, c->pos), &type_len, &delta);
	len = type_len * 4;
	if (type_len == 0 || type_len >= TYPE_PADDING || len > left - EVENT_HDR_LEN)
		return false;
	c->ts += delta;
	event->ts = c->ts;
	event->data = c->data + c->pos + EVENT_HDR_LEN;
	event->len = len;
	c->pos += EVENT_HDR_LEN + len;
	return true;
}

int kvfs_ring_next(struct kvfs_ring_cursor *cursor, struct kvfs_ring_event *out)
{
	while (cursor->pos < cursor->end) {
		if (step_short(cursor, out))
			return 1;
		if (step(cursor, out) < 0)
			return -EBADMSG;
		if (out->data)
			return 1;
	}
	return 0;
}

int kvfs_ring_seek(struct kvfs_ring_cursor *cursor, uint32_t pos)
{
	struct kvfs_ring_event event;

	while (cursor->pos < pos && cursor->pos < cursor->end)
		if (step(cursor, &event) < 0)
			return -EBADMSG;
	return 0;
}

struct order {
	const uint8_t *ring;
	const struct kvfs_ring_meta *meta;
};

static struct kvfs_ring_hdr header(const struct order *o, uint32_t id)
{
	struct kvfs_ring_hdr hdr;

	memcpy(&hdr, o->ring + kvfs_ring_subbuf_off(o->meta, id), sizeof(hdr));
	return hdr;
}

static int compare(const void *va, const void *vb, void *arg)
{
	const struct order *o = arg;
	uint32_t a = *(const uint32_t *)va, b = *(const uint32_t *)vb;
	uint64_t ts_a = header(o, a).time_stamp, ts_b = header(o, b).time_stamp;

	if (a == b)
		return 0;
	if (a == o->meta->reader.id || b == o->meta->reader.id)
		return a == o->meta->reader.id ? -1 : 1;
	if (ts_a != ts_b)
		return ts_a < ts_b ? -1 : 1;
	return a < b ? -1 : 1;
}

int kvfs_ring_order(const void *ring, size_t len, const struct kvfs_ring_meta *meta,
		    uint32_t *ids)
{
	struct order o = { ring, meta };
	int n = 0;

	if (len < kvfs_ring_len(meta))
		return -EBADMSG;
	for (uint32_t id = 0; id < meta->nr_subbufs; id++) {
		uint32_t used = id == meta->reader.id ? meta->reader.read : 0;

		if (kvfs_ring_commit_len(header(&o, id).commit) > used)
			ids[n++] = id;
	}
	qsort_r(ids, n, sizeof(*ids), compare, &o);
	return n;
}

int kvfs_ring_count(const void *ring, size_t len, const struct kvfs_ring_meta *meta,
		    uint64_t *nr_events, uint64_t *nr_missed)
{
	_cleanup_free_ uint32_t *ids = calloc(meta->nr_subbufs, sizeof(*ids));
	int n, ret;

	*nr_events = *nr_missed = 0;
	if (!ids)
		return -ENOMEM;
	n = kvfs_ring_order(ring, len, meta, ids);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		const uint8_t *subbuf = (const uint8_t *)ring + kvfs_ring_subbuf_off(meta, ids[i]);
		struct kvfs_ring_cursor c;
		struct kvfs_ring_event event;

		ret = kvfs_ring_first(subbuf, meta->subbuf_size, &c);
		if (ret < 0)
			return ret;
		*nr_missed += c.nr_missed;
		if (ids[i] == meta->reader.id) {
			ret = kvfs_ring_seek(&c, meta->reader.read);
			if (ret < 0)
				return ret;
		}
		while ((ret = kvfs_ring_next(&c, &event)) > 0)
			(*nr_events)++;
		if (ret < 0)
			return ret;
	}
	return 0;
}
