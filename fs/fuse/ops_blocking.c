// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the replies may be, by request (any other errno is a bug):
 *
 *  read   bytes; EAGAIN EINTR ENOMEM, or the source's own error
 *  ioctl  result; ENOTTY EAGAIN EINTR ENOMEM, or the source's own error
 *  poll   events
 *
 * A request that may wait goes to another thread (group.h), and gives up its place among those
 * in process (lanes.h). If its caller is interrupted, the kernel sends an INTERRUPT request.
 * Then the system call that the view sleeps in returns EINTR, and so does the caller's, even
 * with SA_RESTART: a FUSE server cannot ask the kernel to restart it.
 *
 * The kernel marks its READ requests. A read(2) that does not go through the page cache has a
 * lock owner. One without a lock owner fills the page cache, for a mapping or for splice(2).
 */
#include "fuse/ops_blocking.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/group.h"
#include "fuse/poll.h"
#include "fuse/readbuf.h"

/* Requests that wait at a time; further ones get EAGAIN. */
#define MAX_WAITING 256

struct kvfs_blocking {
	struct fuse_session *fuse;
	struct kvfs_group *group;
	struct kvfs_poll *poll;
};

/* A request on its way to the answer. */
struct asked {
	struct kvfs_call call;
	struct kvfs_blocking *blocking;
	fuse_req_t req;
	struct kvfs_handle *handle;
	struct kvfs_request request;
	size_t size;
	off_t off;
};

static void wake(void *what)
{
	struct fuse_pollhandle *ph = what;

	/* It fails if no caller polls any more. */
	fuse_lowlevel_notify_poll(ph);
	fuse_pollhandle_destroy(ph);
}

int kvfs_blocking_create(struct kvfs_pool *pool, struct kvfs_blocking **out)
{
	struct kvfs_blocking *blocking = calloc(1, sizeof(*blocking));
	int ret = -ENOMEM;

	if (!blocking)
		return ret;
	ret = kvfs_group_create(pool, MAX_WAITING, &blocking->group);
	if (ret == 0)
		ret = kvfs_poll_create(pool, wake, &blocking->poll);
	if (ret < 0) {
		kvfs_blocking_destroy(blocking);
		return ret;
	}
	*out = blocking;
	return 0;
}

void kvfs_blocking_attach(struct kvfs_blocking *blocking, struct fuse_session *fuse)
{
	blocking->fuse = fuse;
}

bool kvfs_blocking_stop(struct kvfs_blocking *blocking, int timeout_ms)
{
	return kvfs_group_stop(blocking->group, timeout_ms);
}

void kvfs_blocking_destroy(struct kvfs_blocking *blocking)
{
	if (!blocking)
		return;
	kvfs_group_destroy(blocking->group);
	kvfs_poll_destroy(blocking->poll);
	free(blocking);
}

static const struct kvfs_blocking_ops *ops_of(const struct kvfs_handle *handle)
{
	return handle->node->ops->file->blocking;
}

/* A call that waits is repeated after EINTR, unless its own caller was interrupted. */
static bool again(const struct asked *asked, ssize_t ret)
{
	return ret == -EINTR && !kvfs_group_interrupted(&asked->call);
}

/* The end of a call that waits: no signal comes any more, and no INTERRUPT finds it. */
static void end(struct asked *asked)
{
	fuse_req_interrupt_func(asked->req, NULL, NULL);
	kvfs_group_end(&asked->call);
}

static ssize_t read_into(struct asked *asked, void *buf)
{
	struct kvfs_handle *handle = asked->handle;

	return ops_of(handle)->read(handle->node, handle->view, &asked->request, buf,
				    asked->size, asked->off);
}

static void answer_read(struct asked *asked)
{
	struct kvfs_readbuf buf = kvfs_readbuf_get(asked->size);
	ssize_t ret = buf.mem ? read_into(asked, buf.mem) : -ENOMEM;

	if (ret < 0)
		fuse_reply_err(asked->req, -ret);
	else
		fuse_reply_buf(asked->req, buf.mem, ret);
	if (buf.mem)
		kvfs_readbuf_put(buf);
}

/* With a buffer of its own, since it may hold it for long. */
static void answer_read_late(struct asked *asked)
{
	_cleanup_free_ void *buf = malloc(asked->size);
	ssize_t ret = -ENOMEM;

	do {
		if (buf)
			ret = read_into(asked, buf);
	} while (again(asked, ret));
	end(asked);
	if (ret < 0)
		fuse_reply_err(asked->req, -ret);
	else
		fuse_reply_buf(asked->req, buf, ret);
}

static void reply_ioctl(fuse_req_t req, int ret)
{
	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_ioctl(req, ret, NULL, 0);
}

static void answer_ioctl(struct asked *asked)
{
	struct kvfs_handle *handle = asked->handle;
	bool stale = false;

	reply_ioctl(asked->req, ops_of(handle)->ioctl(handle->node, handle->view,
						      &asked->request, &stale));
}

static void answer_ioctl_late(struct asked *asked)
{
	struct kvfs_handle *handle = asked->handle;
	bool stale = false;
	int ret;

	do {
		ret = ops_of(handle)->ioctl(handle->node, handle->view, &asked->request, &stale);
	} while (again(asked, ret));
	/*
	 * This may wait, unkillable, until a READ of the same file is answered: the kernel locks
	 * the pages that the READ fills. So it must not be done by a thread that reads /dev/fuse,
	 * nor after those have ended. It fails if nothing was cached.
	 */
	if (stale)
		fuse_lowlevel_notify_inval_inode(asked->blocking->fuse, handle->node->ino, 0, 0);
	end(asked);
	reply_ioctl(asked->req, ret);
}

static void interrupt(fuse_req_t req, void *data)
{
	kvfs_group_interrupt(data);
}

static void run(struct kvfs_call *call)
{
	struct asked *asked = kvfs_list_entry(call, struct asked, call);

	fuse_req_interrupt_func(asked->req, interrupt, call);
	if (asked->request.what == KVFS_REQUEST_IOCTL)
		answer_ioctl_late(asked);
	else
		answer_read_late(asked);
	free(asked);
}

/* Answers on this thread if the view says that it need not wait. */
static void answer(struct asked *asked)
{
	struct kvfs_handle *handle = asked->handle;
	struct asked *copy;
	int ret;

	asked->request.mode = handle->mode;
	if (!ops_of(handle)->waits(handle->node, handle->view, &asked->request)) {
		if (asked->request.what == KVFS_REQUEST_IOCTL)
			answer_ioctl(asked);
		else
			answer_read(asked);
		return;
	}
	copy = malloc(sizeof(*copy));
	if (!copy) {
		fuse_reply_err(asked->req, ENOMEM);
		return;
	}
	*copy = *asked;
	copy->call.run = run;
	ret = kvfs_group_start(copy->blocking->group, &copy->call);
	if (ret < 0) {
		free(copy);
		fuse_reply_err(asked->req, -ret);
	}
}

void kvfs_blocking_read(struct kvfs_blocking *blocking, fuse_req_t req, struct kvfs_handle *handle,
			size_t size, off_t off, const struct fuse_file_info *fi)
{
	struct asked asked = {
		.blocking = blocking,
		.req = req,
		.handle = handle,
		.request = {
			.what = fi->lock_owner ? KVFS_REQUEST_READ : KVFS_REQUEST_FILL,
			.nonblock = fi->flags & O_NONBLOCK,
		},
		.size = size < KVFS_READBUF_MAX ? size : KVFS_READBUF_MAX,
		.off = off,
	};

	answer(&asked);
}

void kvfs_blocking_ioctl(struct kvfs_blocking *blocking, fuse_req_t req, struct kvfs_handle *handle,
			 unsigned int cmd)
{
	struct asked asked = {
		.blocking = blocking,
		.req = req,
		.handle = handle,
		.request = {
			.what = KVFS_REQUEST_IOCTL,
			.cmd = cmd,
			/* As it was at open: an IOCTL request does not have the flag as it is now. */
			.nonblock = handle->nonblock,
		},
	};

	answer(&asked);
}

void kvfs_blocking_poll(struct kvfs_blocking *blocking, fuse_req_t req, struct kvfs_handle *handle,
			struct fuse_pollhandle *ph)
{
	struct pollfd fd = { .fd = ops_of(handle)->poll_fd(handle->node, handle->view) };
	void *before = NULL;
	int ret = 0;

	fd.events = POLLIN | POLLRDNORM | POLLPRI;
	/* Armed before it is looked at, so that an event in between is not missed. */
	if (ph)
		ret = kvfs_poll_arm(blocking->poll, fd.fd, ph, &before);
	if (ret < 0)
		fuse_pollhandle_destroy(ph);
	if (before)
		fuse_pollhandle_destroy(before);
	/* Arming failed: report POLLERR rather than sleep for ever. */
	if (ret < 0 || poll(&fd, 1, 0) < 0)
		fd.revents = POLLERR;
	fuse_reply_poll(req, fd.revents);
}

void kvfs_blocking_release(struct kvfs_blocking *blocking, struct kvfs_handle *handle)
{
	void *before = kvfs_poll_disarm(blocking->poll, ops_of(handle)->poll_fd(handle->node, handle->view));

	if (before)
		fuse_pollhandle_destroy(before);
}
