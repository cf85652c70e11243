/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of a mapped trace ring, as a mapping of trace_pipe_raw and trace/cpuN have it: a
 * meta page, then the sub-buffers by id. Pure: nothing here does I/O, and no function trusts the
 * bytes that it is given.
 *
 * Follows include/uapi/linux/trace_mmap.h (struct trace_buffer_meta) and kernel/trace/
 * ring_buffer.c (struct buffer_data_page, struct ring_buffer_event), 6.12. The headers of Debian
 * 12 lack the former, so it is declared here. Numbers are in the byte order of this machine, and
 * the kernel's long has 64 bits.
 *
 * A sub-buffer is a time stamp (u64), a commit word (u64: bytes of data, and flags in bits 30
 * and 31) and data: events, each with the time since the one before. The meta page does not have
 * the order of the sub-buffers. Their time stamps have: a CPU writes its ring in the order of
 * its clock. With a clock so coarse that several sub-buffers have the same time stamp, they are
 * ordered by id, which is the order of the ring until its reader moves.
 */
#ifndef KVFS_TRACE_RING_H
#define KVFS_TRACE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/ioctl.h>

#include "base/err.h"

/* TRACE_MMAP_IOCTL_GET_READER of linux/trace_mmap.h: moves the reader. */
#define KVFS_RING_GET_READER _IO('R', 0x20)
/* The other ioctl of trace_pipe_raw, without a name there: wakes all waiting calls. */
#define KVFS_RING_WAKE_WAITERS 0

/* struct trace_buffer_meta. Sizes are in bytes. */
struct kvfs_ring_meta {
	uint32_t meta_page_size;	/* where sub-buffer 0 begins */
	uint32_t meta_struct_len;
	uint32_t subbuf_size;
	uint32_t nr_subbufs;		/* the reader's is one of them */
	struct {
		uint64_t lost_events;
		uint32_t id;		/* the sub-buffer that the reader is on */
		uint32_t read;		/* bytes of its data that have been read */
	} reader;
	uint64_t flags;
	uint64_t entries;		/* events written since the ring was reset */
	uint64_t overrun;		/* of these, overwritten before they were read */
	uint64_t read;			/* of these, read */
	uint64_t reserved[2];
};

_Static_assert(sizeof(struct kvfs_ring_meta) == 80, "struct trace_buffer_meta");

#define KVFS_RING_HDR_LEN 16U
/* The kernel makes a sub-buffer of at most 2^7 pages, and pages have at most 64 KiB. */
#define KVFS_RING_SUBBUF_MAX (8U << 20)

/*
 * Copies the meta data from the first len bytes of a ring and checks the geometry. Returns 0, or
 * -EBADMSG and what is wrong; *out is then unspecified.
 */
int kvfs_ring_parse_meta(const void *buf, size_t len, struct kvfs_ring_meta *out,
			 struct kvfs_err *err);

/* Bytes of the whole ring, meta page included. kvfs_ring_parse_meta() has checked meta. */
uint64_t kvfs_ring_len(const struct kvfs_ring_meta *meta);

/* Offset of sub-buffer id in the ring, bytes. */
uint64_t kvfs_ring_subbuf_off(const struct kvfs_ring_meta *meta, uint32_t id);

struct kvfs_ring_hdr {
	uint64_t time_stamp;	/* of the first event, in units of the trace clock */
	uint64_t commit;	/* as stored, with its flags */
};

/* Bytes of data that a commit word counts. */
static inline uint32_t kvfs_ring_commit_len(uint64_t commit)
{
	return commit & ((1U << 30) - 1);
}

/* Events were lost before the first one of this sub-buffer (RB_MISSED_EVENTS). */
static inline bool kvfs_ring_commit_missed(uint64_t commit)
{
	return commit & (1U << 31);
}

/* Their number is stored in the 8 bytes after the data (RB_MISSED_STORED). */
static inline bool kvfs_ring_commit_stored(uint64_t commit)
{
	return commit & (1U << 30);
}

/* Bytes of a sub-buffer that are in use: header, data and the number of lost events. */
static inline uint32_t kvfs_ring_used(uint64_t commit)
{
	return KVFS_RING_HDR_LEN + kvfs_ring_commit_len(commit) +
	       (kvfs_ring_commit_stored(commit) ? 8 : 0);
}

/* Walks the events of one sub-buffer. The bytes are borrowed and must not change. */
struct kvfs_ring_cursor {
	const uint8_t *data;
	uint32_t pos;		/* of the next event; bytes from data */
	uint32_t end;
	uint64_t ts;		/* time of the last event */
	bool missed;		/* events were lost before the first one */
	uint64_t nr_missed;	/* how many; 0 if the ring does not say */
};

struct kvfs_ring_event {
	uint64_t ts;		/* in units of the trace clock */
	const void *data;	/* the record, aligned to 4 bytes, in the cursor's sub-buffer */
	uint32_t len;		/* bytes */
};

/*
 * Sets a cursor on the first event of a sub-buffer of size bytes. Returns 0, or -EBADMSG if
 * it claims more data than it can hold.
 */
int kvfs_ring_first(const void *subbuf, uint32_t size, struct kvfs_ring_cursor *out);

/*
 * Steps over padding and time stamps to the next event. Returns 1, 0 after the last event, or
 * -EBADMSG if a record does not fit; the cursor then stays before that record.
 */
int kvfs_ring_next(struct kvfs_ring_cursor *cursor, struct kvfs_ring_event *out);

/*
 * Moves the cursor to the first record at or after pos bytes of data, and its time with it. Returns 0
 * or -EBADMSG.
 */
int kvfs_ring_seek(struct kvfs_ring_cursor *cursor, uint32_t pos);

/*
 * Lists the sub-buffers with unread data, oldest first. ring: len bytes that begin with the meta
 * page; ids: room for meta->nr_subbufs. The reader's sub-buffer is first if it has unread data.
 * Returns their number, or -EBADMSG if the ring is cut off.
 */
int kvfs_ring_order(const void *ring, size_t len, const struct kvfs_ring_meta *meta,
		    uint32_t *ids);

/*
 * Counts what a reader would get from a ring that does not change. *nr_events: unread events;
 * *nr_missed: lost events whose number the ring has. Returns 0, -EBADMSG or -ENOMEM.
 */
int kvfs_ring_count(const void *ring, size_t len, const struct kvfs_ring_meta *meta,
		    uint64_t *nr_events, uint64_t *nr_missed);

#endif /* KVFS_TRACE_RING_H */
