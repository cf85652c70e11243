// SPDX-License-Identifier: GPL-2.0-only
#include "trace/snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Each attempt fails only if the writer got ahead of it; a handful is plenty. */
#define ATTEMPTS 16

struct page {
	uint32_t id;
	struct kvfs_ring_hdr hdr;
};

static uint64_t load(const void *at)
{
	return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}

/* A header whose commit belongs to its time stamp; with commit 0 the latter means nothing. */
static struct kvfs_ring_hdr load_hdr(const uint8_t *subbuf)
{
	struct kvfs_ring_hdr hdr;

	for (int i = 0; i < ATTEMPTS; i++) {
		hdr.time_stamp = load(subbuf);
		hdr.commit = load(subbuf + 8);
		if (kvfs_ring_commit_len(hdr.commit) == 0 || load(subbuf) == hdr.time_stamp)
			return hdr;
	}
	hdr.commit = 0;
	return hdr;
}

/*
 * The kernel writes the meta page with its reader lock held, word after word: what is the
 * same twice is whole.
 */
static struct kvfs_ring_meta load_meta(const void *live)
{
	struct kvfs_ring_meta one, two;

	memcpy(&two, live, sizeof(two));
	for (int i = 0; i < ATTEMPTS; i++) {
		one = two;
		atomic_thread_fence(memory_order_seq_cst);
		memcpy(&two, live, sizeof(two));
		if (memcmp(&one, &two, sizeof(one)) == 0)
			break;
	}
	return two;
}

/*
 * Copies what hdr tells of, if it still holds afterwards. growing: this is the newest
 * sub-buffer, more may be committed meanwhile. If a finished one has changed, it got the
 * number of lost events as the reader moved to it, and is copied again.
 */
static bool copy_subbuf(const uint8_t *subbuf, uint32_t size, struct kvfs_ring_hdr hdr,
			bool growing, uint8_t *out)
{
	for (int i = 0; i < 3; i++) {
		uint32_t used = kvfs_ring_used(hdr.commit);
		struct kvfs_ring_hdr now;

		if (used > size)
			break;
		memcpy(out + sizeof(hdr), subbuf + sizeof(hdr), used - sizeof(hdr));
		atomic_thread_fence(memory_order_acquire);
		now = load_hdr(subbuf);
		if (now.time_stamp != hdr.time_stamp || kvfs_ring_commit_len(now.commit) == 0)
			break;
		if (now.commit == hdr.commit ||
		    (growing && kvfs_ring_commit_len(now.commit) >= kvfs_ring_commit_len(hdr.commit))) {
			memcpy(out, &hdr, sizeof(hdr));
			return true;
		}
		hdr = now;
	}
	memset(out, 0, size);
	return false;
}

/* Newest first. */
static int compare(const void *va, const void *vb)
{
	const struct page *a = va, *b = vb;

	if (a->hdr.time_stamp != b->hdr.time_stamp)
		return a->hdr.time_stamp < b->hdr.time_stamp ? 1 : -1;
	return a->id < b->id ? 1 : -1;
}

/*
 * All sub-buffers with data, newest first, at the moment when the newest one was seen: the
 * others are looked at again after that, as they are final since. Returns how many.
 */
static size_t scan(const uint8_t *live, const struct kvfs_ring_meta *meta, struct page *pages)
{
	struct page newest = { 0 };
	size_t n = 0;

	for (uint32_t id = 0; id < meta->nr_subbufs; id++) {
		struct page page = { id, load_hdr(live + kvfs_ring_subbuf_off(meta, id)) };

		if (kvfs_ring_commit_len(page.hdr.commit) > 0 &&
		    (kvfs_ring_commit_len(newest.hdr.commit) == 0 || compare(&page, &newest) < 0))
			newest = page;
	}
	if (kvfs_ring_commit_len(newest.hdr.commit) == 0)
		return 0;
	pages[n++] = newest;
	for (uint32_t id = 0; id < meta->nr_subbufs; id++) {
		struct page page = { id, load_hdr(live + kvfs_ring_subbuf_off(meta, id)) };

		if (id != newest.id && kvfs_ring_commit_len(page.hdr.commit) > 0 &&
		    page.hdr.time_stamp <= newest.hdr.time_stamp)
			pages[n++] = page;
	}
	qsort(pages, n, sizeof(*pages), compare);
	return n;
}

/*
 * Copies newest first and stops at the first one that was overwritten meanwhile: so were
 * the older ones, or they are about to be. Returns the number of pages copied.
 */
static size_t copy_pages(const uint8_t *live, const struct kvfs_ring_meta *meta,
			 const struct page *pages, size_t n, uint8_t *copy)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t off = kvfs_ring_subbuf_off(meta, pages[i].id);

		if (!copy_subbuf(live + off, meta->subbuf_size, pages[i].hdr, i == 0, copy + off))
			return i;
	}
	return n;
}

/* Takes over the counters and the reader as they are now. */
static void copy_meta(const void *live, const struct kvfs_ring_meta *meta, uint8_t *copy)
{
	struct kvfs_ring_meta now = load_meta(live);

	now.meta_page_size = meta->meta_page_size;
	now.subbuf_size = meta->subbuf_size;
	now.nr_subbufs = meta->nr_subbufs;
	if (now.reader.id >= now.nr_subbufs)
		now.reader.id = 0;
	memcpy(copy, &now, sizeof(now));
}

int kvfs_snapshot_take(const void *live, const struct kvfs_ring_meta *meta, void *copy)
{
	_cleanup_free_ struct page *pages = calloc(meta->nr_subbufs, sizeof(*pages));

	if (!pages)
		return -ENOMEM;
	for (int i = 0; i < ATTEMPTS; i++) {
		size_t n = scan(live, meta, pages);

		if (n > 0 && copy_pages(live, meta, pages, n, copy) == 0)
			continue;
		copy_meta(live, meta, copy);
		return 0;
	}
	return -EBUSY;
}

static int parse_number(const char *text, const char *key, uint64_t *out)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && sscanf(line + len, ": %" SCNu64, out) == 1)
			return 0;
	}
	return -EBADMSG;
}

int kvfs_snapshot_parse_stats(const char *text, struct kvfs_snapshot_stats *out)
{
	if (parse_number(text, "entries", &out->unread) < 0 ||
	    parse_number(text, "overrun", &out->overrun) < 0 ||
	    parse_number(text, "dropped events", &out->dropped) < 0 ||
	    parse_number(text, "read events", &out->read) < 0)
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

/* Where the first nr events of a sub-buffer end, bytes. */
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
 * Somebody reads past the mapping. What is unread are the newest events of the copy, and the
 * reader is where they begin.
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
	/* No sub-buffer has this id, so they are all in the order of time. */
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
 * Drops what the reader has left behind. Linux 6.12 marks a sub-buffer as empty when the
 * reader goes on, 6.18 leaves it as it is until it is written again; and the reader may have
 * moved since its sub-buffer was copied.
 */
static void drop_read(uint8_t *copy, struct kvfs_ring_meta *meta)
{
	struct kvfs_ring_hdr reader, hdr;
	uint32_t len;

	memcpy(&reader, copy + kvfs_ring_subbuf_off(meta, meta->reader.id), sizeof(reader));
	len = kvfs_ring_commit_len(reader.commit);
	/* It was read further than the copy goes, which is of an earlier moment. */
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
 * What is missing in the copy was overwritten, as far as the counters allow for that; the
 * rest was written after its moment.
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

/* Images. */

enum state {
	EMPTY,		/* nothing is there, and mem is zero */
	TO_COPY,	/* hdr says what is */
	COPIED,
};

struct imaged {
	struct kvfs_ring_hdr hdr;
	enum state state;
};

struct kvfs_image {
	const uint8_t *live;
	struct kvfs_ring_meta meta;
	uint8_t *mem;
	bool fixed;		/* the moment is chosen, all below is set */
	uint32_t newest;
	struct imaged *subbufs;	/* by id */
	struct page *pages;	/* room for a scan */
};

int kvfs_image_create(const void *live, const struct kvfs_ring_meta *meta,
		      struct kvfs_image **out)
{
	struct kvfs_image *image = calloc(1, sizeof(*image));

	if (!image)
		return -ENOMEM;
	image->live = live;
	image->meta = *meta;
	/* Large ones are mapped by libc, and take memory as they are looked at. */
	image->mem = calloc(1, kvfs_ring_len(meta));
	image->subbufs = calloc(meta->nr_subbufs, sizeof(*image->subbufs));
	image->pages = calloc(meta->nr_subbufs, sizeof(*image->pages));
	if (!image->mem || !image->subbufs || !image->pages) {
		kvfs_image_destroy(image);
		return -ENOMEM;
	}
	*out = image;
	return 0;
}

void kvfs_image_destroy(struct kvfs_image *image)
{
	if (!image)
		return;
	free(image->mem);
	free(image->subbufs);
	free(image->pages);
	free(image);
}

void kvfs_image_refresh(struct kvfs_image *image)
{
	image->fixed = false;
}

static void empty(struct kvfs_image *image, uint32_t id)
{
	struct imaged *s = &image->subbufs[id];

	if (s->state == COPIED)
		memset(image->mem + kvfs_ring_subbuf_off(&image->meta, id), 0, image->meta.subbuf_size);
	s->state = EMPTY;
}

/* Chooses the moment: what each sub-buffer held when the newest one was seen. */
static void fix(struct kvfs_image *image)
{
	struct kvfs_ring_meta meta;
	size_t n;

	if (image->fixed)
		return;
	for (uint32_t id = 0; id < image->meta.nr_subbufs; id++)
		empty(image, id);
	n = scan(image->live, &image->meta, image->pages);
	copy_meta(image->live, &image->meta, image->mem);
	memcpy(&meta, image->mem, sizeof(meta));
	for (size_t i = 0; i < n; i++) {
		const struct page *page = &image->pages[i];

		image->subbufs[page->id] = (struct imaged) { page->hdr, TO_COPY };
		/* Those behind it were left behind by the reader. */
		if (page->id == meta.reader.id)
			break;
	}
	image->newest = n > 0 ? image->pages[0].id : 0;
	image->fixed = true;
}

/* It was overwritten before it was copied, and so were older ones, or they are about to be. */
static void drop_older(struct kvfs_image *image, uint64_t time_stamp)
{
	for (uint32_t id = 0; id < image->meta.nr_subbufs; id++) {
		struct imaged *s = &image->subbufs[id];

		if (s->state == TO_COPY && s->hdr.time_stamp <= time_stamp)
			s->state = EMPTY;
	}
}

static void image_subbuf(struct kvfs_image *image, uint32_t id)
{
	uint64_t off = kvfs_ring_subbuf_off(&image->meta, id);
	struct imaged *s = &image->subbufs[id];

	if (s->state != TO_COPY)
		return;
	if (copy_subbuf(image->live + off, image->meta.subbuf_size, s->hdr, id == image->newest,
			image->mem + off))
		s->state = COPIED;
	else
		drop_older(image, s->hdr.time_stamp);
}

size_t kvfs_image_read(struct kvfs_image *image, void *buf, size_t len, uint64_t off)
{
	const struct kvfs_ring_meta *meta = &image->meta;
	uint64_t end = kvfs_ring_len(meta);
	uint32_t id = off < meta->meta_page_size ? 0 : (off - meta->meta_page_size) / meta->subbuf_size;

	if (off >= end || len == 0)
		return 0;
	if (len > end - off)
		len = end - off;
	fix(image);
	for (; id < meta->nr_subbufs && kvfs_ring_subbuf_off(meta, id) < off + len; id++)
		image_subbuf(image, id);
	memcpy(buf, image->mem + off, len);
	return len;
}
