// SPDX-License-Identifier: GPL-2.0-only
/* A saved trace ring: its meta page, its order, its events, and its counters once it is settled. */
#include "fuzz.h"
#include "trace/ring.h"
#include "trace/snapshot.h"

/* Each event lies in the sub-buffer, and the walk ends. */
static void walk(const uint8_t *subbuf, uint32_t size)
{
	struct kvfs_ring_cursor c;
	struct kvfs_ring_event event;
	uint32_t steps = 0;

	if (kvfs_ring_first(subbuf, size, &c) < 0)
		return;
	fuzz_assert(c.end <= size - KVFS_RING_HDR_LEN);
	while (kvfs_ring_next(&c, &event) > 0) {
		const uint8_t *data = event.data;

		fuzz_assert(data >= subbuf + KVFS_RING_HDR_LEN && data + event.len <= c.data + c.end);
		fuzz_assert(c.pos <= c.end && ++steps <= size);
	}
}

/* The counters of a settled copy agree with its events. */
static void settle(const uint8_t *data, size_t size, uint64_t read)
{
	const struct kvfs_snapshot_stats stats = { .unread = read % 7, .overrun = 3, .read = read };
	struct kvfs_ring_meta meta;
	uint8_t *copy = malloc(size);
	uint64_t unread, missed;

	memcpy(copy, data, size);
	if (kvfs_snapshot_settle(copy, &stats, &stats) == 0) {
		fuzz_assert(kvfs_ring_parse_meta(copy, size, &meta, NULL) == 0);
		fuzz_assert(kvfs_ring_count(copy, size, &meta, &unread, &missed) == 0);
		fuzz_assert(meta.entries - meta.overrun - meta.read == unread);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kvfs_ring_meta meta;
	struct kvfs_err err = { 0 };
	uint64_t nr, missed;
	uint32_t *ids;
	int ret = kvfs_ring_parse_meta(data, size, &meta, &err);

	if (ret < 0) {
		fuzz_check_error(ret, &err);
		return 0;
	}
	/* A ring that is cut off is refused before its bytes are read. */
	if (kvfs_ring_len(&meta) > size) {
		fuzz_assert(kvfs_ring_order(data, size, &meta, NULL) == -EBADMSG);
		return 0;
	}
	ids = calloc(meta.nr_subbufs, sizeof(*ids));
	ret = kvfs_ring_order(data, size, &meta, ids);
	fuzz_assert(ret >= 0 && (uint32_t)ret <= meta.nr_subbufs);
	for (int i = 0; i < ret; i++)
		fuzz_assert(ids[i] < meta.nr_subbufs);
	for (uint32_t id = 0; id < meta.nr_subbufs; id++)
		walk(data + kvfs_ring_subbuf_off(&meta, id), meta.subbuf_size);
	kvfs_ring_count(data, size, &meta, &nr, &missed);
	settle(data, size, meta.read);
	settle(data, size, meta.read + 1);
	free(ids);
	return 0;
}
