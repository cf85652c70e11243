// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/dispatch.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/group.h"
#include "fuse/lanes.h"
#include "fuse/log.h"

/* Pause after a transient error, such as ENOMEM, that can repeat at once. */
#define RETRY_MS 10

struct kvfs_dispatch {
	struct kvfs_dispatch_config config;
	struct kvfs_group *group;
	struct kvfs_lanes *lanes;
	atomic_bool stopping;
	atomic_flag is_over;		/* over() was called */
	atomic_uint nr_reading;		/* threads that read /dev/fuse, or are about to */
};

struct reader {
	struct kvfs_call call;
	struct kvfs_dispatch *dispatch;
	struct fuse_buf buf;		/* of libfuse, which makes it as large as a request can be */
};

/*
 * The errors of read(2) on /dev/fuse (fuse_dev_do_read(), 6.12) that last: the mount is gone, its
 * connection was aborted, or the descriptor is none.
 */
static bool is_lasting(int errnum)
{
	return errnum == ENODEV || errnum == ECONNABORTED || errnum == EPERM || errnum == EBADF;
}

/*
 * Waits for a request. Returns false when the mount has ended. EINTR and EAGAIN repeat at once,
 * since the kernel returned from waiting. All else is retried after a pause.
 */
static bool receive(struct reader *reader)
{
	struct kvfs_dispatch *dispatch = reader->dispatch;
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };

	while (!atomic_load(&dispatch->stopping)) {
		int ret = fuse_session_receive_buf(dispatch->config.fuse, &reader->buf);

		if (ret > 0)
			return true;
		/* 0: libfuse has seen the unmount. */
		if (ret == 0 || is_lasting(-ret)) {
			if (!atomic_flag_test_and_set(&dispatch->is_over))
				dispatch->config.over(dispatch->config.arg);
			return false;
		}
		if (ret != -EINTR && ret != -EAGAIN)
			nanosleep(&pause, NULL);
	}
	return false;
}

static void process(struct kvfs_dispatch *dispatch, const void *request, size_t len)
{
	const struct fuse_buf buf = { .mem = (void *)request, .size = len };

	fuse_session_process_buf(dispatch->config.fuse, &buf);
}

/* Processes a request that was admitted, and the parked ones that follow in its place. */
static void process_lane(struct kvfs_dispatch *dispatch, const struct fuse_buf *buf,
			 struct kvfs_lanes_ticket *ticket)
{
	struct kvfs_lanes_parked *parked;

	process(dispatch, buf->mem, buf->size);
	while ((parked = kvfs_lanes_end(dispatch->lanes, ticket))) {
		*ticket = parked->ticket;
		process(dispatch, parked->request, parked->len);
		free(parked);
	}
}

static int start_reader(struct kvfs_dispatch *dispatch);

/* This thread stops reading; another one takes its place if it was the last. */
static void leave_reading(struct kvfs_dispatch *dispatch)
{
	if (atomic_fetch_sub(&dispatch->nr_reading, 1) == 1 && !dispatch->config.single)
		/* Without another thread, requests wait until this one reads again. */
		start_reader(dispatch);
}

/* Returns false if enough threads read: this one is not needed. */
static bool join_reading(struct kvfs_dispatch *dispatch)
{
	unsigned int nr = atomic_load(&dispatch->nr_reading);

	do {
		if (nr >= dispatch->config.threads)
			return false;
	} while (!atomic_compare_exchange_weak(&dispatch->nr_reading, &nr, nr + 1));
	return true;
}

/*
 * A request that does not block. INTERRUPT for a parked request answers that, so that its caller
 * can be killed; libfuse does not know of it yet.
 */
static void process_bypass(struct kvfs_dispatch *dispatch, const struct fuse_buf *buf)
{
	uint64_t unique = kvfs_lanes_interrupt(dispatch->lanes, buf->mem, buf->size);
	const struct fuse_out_header out = { .len = sizeof(out), .error = -EINTR, .unique = unique };

	if (!unique)
		process(dispatch, buf->mem, buf->size);
	else if (write(fuse_session_fd(dispatch->config.fuse), &out, sizeof(out)) < 0)
		kvfs_log_debug("a request cannot be interrupted: %s", strerror(errno));
}

static void read_requests(struct kvfs_call *call)
{
	struct reader *reader = kvfs_list_entry(call, struct reader, call);
	struct kvfs_dispatch *dispatch = reader->dispatch;
	bool reading = true;

	while (reading && receive(reader)) {
		struct kvfs_lanes_ticket ticket;

		/* Requests that do not block are not worth another thread. */
		if (kvfs_lanes_bypass(reader->buf.mem, reader->buf.size)) {
			process_bypass(dispatch, &reader->buf);
			continue;
		}
		if (!kvfs_lanes_begin(dispatch->lanes, reader->buf.mem, reader->buf.size, &ticket))
			continue;
		leave_reading(dispatch);
		process_lane(dispatch, &reader->buf, &ticket);
		reading = join_reading(dispatch);
	}
	if (reading)
		atomic_fetch_sub(&dispatch->nr_reading, 1);
	kvfs_group_end(call);
	free(reader->buf.mem);
	free(reader);
}

static int start_reader(struct kvfs_dispatch *dispatch)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	int ret = -ENOMEM;

	if (!reader)
		return ret;
	reader->dispatch = dispatch;
	reader->call.run = read_requests;
	atomic_fetch_add(&dispatch->nr_reading, 1);
	ret = kvfs_group_start(dispatch->group, &reader->call);
	if (ret < 0) {
		atomic_fetch_sub(&dispatch->nr_reading, 1);
		free(reader);
	}
	return ret;
}

int kvfs_dispatch_create(const struct kvfs_dispatch_config *config, struct kvfs_dispatch **out)
{
	struct kvfs_dispatch *dispatch = calloc(1, sizeof(*dispatch));
	unsigned int started = 0;
	int ret = -ENOMEM;

	if (!dispatch)
		return ret;
	dispatch->config = *config;
	dispatch->lanes = kvfs_lanes_create();
	if (dispatch->lanes)
		ret = kvfs_group_create(config->pool, 0, &dispatch->group);
	while (ret == 0 && started < config->threads) {
		ret = start_reader(dispatch);
		started += ret == 0;
	}
	/* With fewer threads it is slower, and that is all. */
	if (started == 0) {
		kvfs_dispatch_destroy(dispatch);
		return ret;
	}
	*out = dispatch;
	return 0;
}

bool kvfs_dispatch_stop(struct kvfs_dispatch *dispatch, int timeout_ms)
{
	atomic_store(&dispatch->stopping, true);
	fuse_session_exit(dispatch->config.fuse);
	return kvfs_group_stop(dispatch->group, timeout_ms);
}

void kvfs_dispatch_destroy(struct kvfs_dispatch *dispatch)
{
	if (!dispatch)
		return;
	if (dispatch->group)
		kvfs_dispatch_stop(dispatch, -1);
	kvfs_group_destroy(dispatch->group);
	kvfs_lanes_destroy(dispatch->lanes);
	free(dispatch);
}
