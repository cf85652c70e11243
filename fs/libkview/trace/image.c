// SPDX-License-Identifier: GPL-2.0-only
#include "trace/image.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "trace/scan.h"

enum state {
	EMPTY,		/* it has no data, and its part of mem is zero */
	TO_COPY,	/* hdr says what data it had */
	COPIED,
};

struct imaged {
	struct kvfs_ring_hdr hdr;
	enum state state;
};

struct kvfs_image {
	const uint8_t *mapped;
	struct kvfs_ring_meta meta;
	uint8_t *mem;
	bool fixed;		/* the moment is chosen, and all below is set */
	uint32_t newest;
	struct imaged *subbufs;	/* by id */
	struct kvfs_scan_subbuf *scanned;	/* room for a scan */
};

int kvfs_image_create(const void *mapped, const struct kvfs_ring_meta *meta,
		      struct kvfs_image **out)
{
	struct kvfs_image *image = calloc(1, sizeof(*image));

	if (!image)
		return -ENOMEM;
	image->mapped = mapped;
	image->meta = *meta;
	/* libc maps large blocks, whose pages take memory only once they are written. */
	image->mem = calloc(1, kvfs_ring_len(meta));
	image->subbufs = calloc(meta->nr_subbufs, sizeof(*image->subbufs));
	image->scanned = calloc(meta->nr_subbufs, sizeof(*image->scanned));
	if (!image->mem || !image->subbufs || !image->scanned) {
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
	free(image->scanned);
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

/* Chooses the moment: notes what each sub-buffer held when the newest one was seen. */
static void fix(struct kvfs_image *image)
{
	struct kvfs_ring_meta meta;
	size_t n;

	if (image->fixed)
		return;
	for (uint32_t id = 0; id < image->meta.nr_subbufs; id++)
		empty(image, id);
	n = kvfs_scan(image->mapped, &image->meta, image->scanned);
	kvfs_scan_copy_meta(image->mapped, &image->meta, image->mem);
	memcpy(&meta, image->mem, sizeof(meta));
	for (size_t i = 0; i < n; i++) {
		const struct kvfs_scan_subbuf *subbuf = &image->scanned[i];

		image->subbufs[subbuf->id] = (struct imaged) { subbuf->hdr, TO_COPY };
		/* The reader has finished those that are older than its own. */
		if (subbuf->id == meta.reader.id)
			break;
	}
	image->newest = n > 0 ? image->scanned[0].id : 0;
	image->fixed = true;
}

/* A sub-buffer was overwritten before it was copied. Older ones were too, or are next. */
static void drop_older(struct kvfs_image *image, uint64_t time_stamp)
{
	for (uint32_t id = 0; id < image->meta.nr_subbufs; id++) {
		struct imaged *s = &image->subbufs[id];

		if (s->state == TO_COPY && s->hdr.time_stamp <= time_stamp)
			s->state = EMPTY;
	}
}

static void copy(struct kvfs_image *image, uint32_t id)
{
	uint64_t off = kvfs_ring_subbuf_off(&image->meta, id);
	struct imaged *s = &image->subbufs[id];

	if (s->state != TO_COPY)
		return;
	if (kvfs_scan_copy(image->mapped + off, image->meta.subbuf_size, s->hdr, id == image->newest,
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
		copy(image, id);
	memcpy(buf, image->mem + off, len);
	return len;
}
