// SPDX-License-Identifier: GPL-2.0-only
#include "trace/scan.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static uint64_t load(const void *at)
{
	return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}

/* Loads a header whose commit belongs to its time stamp. With commit 0 the time stamp is stale. */
static struct kvfs_ring_hdr load_hdr(const uint8_t *subbuf)
{
	struct kvfs_ring_hdr hdr;

	for (int i = 0; i < KVFS_SCAN_ATTEMPTS; i++) {
		hdr.time_stamp = load(subbuf);
		hdr.commit = load(subbuf + 8);
		if (kvfs_ring_commit_len(hdr.commit) == 0 || load(subbuf) == hdr.time_stamp)
			return hdr;
	}
	hdr.commit = 0;
	return hdr;
}

/*
 * The kernel writes the meta page word after word, with its reader lock held. Two loads that
 * are equal have seen no write in between.
 */
static struct kvfs_ring_meta load_meta(const uint8_t *mapped)
{
	struct kvfs_ring_meta one, two;

	memcpy(&two, mapped, sizeof(two));
	for (int i = 0; i < KVFS_SCAN_ATTEMPTS; i++) {
		one = two;
		atomic_thread_fence(memory_order_seq_cst);
		memcpy(&two, mapped, sizeof(two));
		if (memcmp(&one, &two, sizeof(one)) == 0)
			break;
	}
	return two;
}

/* Newest first. */
static int compare(const void *va, const void *vb)
{
	const struct kvfs_scan_subbuf *a = va, *b = vb;

	if (a->hdr.time_stamp != b->hdr.time_stamp)
		return a->hdr.time_stamp < b->hdr.time_stamp ? 1 : -1;
	return a->id < b->id ? 1 : -1;
}

static struct kvfs_scan_subbuf look_at(const uint8_t *mapped, const struct kvfs_ring_meta *meta,
				       uint32_t id)
{
	return (struct kvfs_scan_subbuf) { id, load_hdr(mapped + kvfs_ring_subbuf_off(meta, id)) };
}

size_t kvfs_scan(const uint8_t *mapped, const struct kvfs_ring_meta *meta,
		 struct kvfs_scan_subbuf *out)
{
	struct kvfs_scan_subbuf newest = { 0 };
	size_t n = 0;

	for (uint32_t id = 0; id < meta->nr_subbufs; id++) {
		struct kvfs_scan_subbuf subbuf = look_at(mapped, meta, id);

		if (kvfs_ring_commit_len(subbuf.hdr.commit) > 0 &&
		    (kvfs_ring_commit_len(newest.hdr.commit) == 0 || compare(&subbuf, &newest) < 0))
			newest = subbuf;
	}
	if (kvfs_ring_commit_len(newest.hdr.commit) == 0)
		return 0;
	out[n++] = newest;
	/* Once the newest one was seen the others are final, so only a second look is right. */
	for (uint32_t id = 0; id < meta->nr_subbufs; id++) {
		struct kvfs_scan_subbuf subbuf = look_at(mapped, meta, id);

		if (id != newest.id && kvfs_ring_commit_len(subbuf.hdr.commit) > 0 &&
		    subbuf.hdr.time_stamp <= newest.hdr.time_stamp)
			out[n++] = subbuf;
	}
	qsort(out, n, sizeof(*out), compare);
	return n;
}

bool kvfs_scan_copy(const uint8_t *mapped, uint32_t size, struct kvfs_ring_hdr hdr, bool growing,
		    uint8_t *copy)
{
	/*
	 * A final sub-buffer changes once more without being overwritten: it gets the number of
	 * lost events when the reader moves to it. It is copied again then.
	 */
	for (int i = 0; i < 3; i++) {
		uint32_t used = kvfs_ring_used(hdr.commit);
		struct kvfs_ring_hdr now;

		if (used > size)
			break;
		memcpy(copy + sizeof(hdr), mapped + sizeof(hdr), used - sizeof(hdr));
		atomic_thread_fence(memory_order_acquire);
		now = load_hdr(mapped);
		if (now.time_stamp != hdr.time_stamp || kvfs_ring_commit_len(now.commit) == 0)
			break;
		if (now.commit == hdr.commit ||
		    (growing && kvfs_ring_commit_len(now.commit) >= kvfs_ring_commit_len(hdr.commit))) {
			memcpy(copy, &hdr, sizeof(hdr));
			return true;
		}
		hdr = now;
	}
	memset(copy, 0, size);
	return false;
}

void kvfs_scan_copy_meta(const uint8_t *mapped, const struct kvfs_ring_meta *meta, uint8_t *copy)
{
	struct kvfs_ring_meta now = load_meta(mapped);

	now.meta_page_size = meta->meta_page_size;
	now.subbuf_size = meta->subbuf_size;
	now.nr_subbufs = meta->nr_subbufs;
	if (now.reader.id >= now.nr_subbufs)
		now.reader.id = 0;
	memcpy(copy, &now, sizeof(now));
}
