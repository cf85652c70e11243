// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the replies may be, by request (any other errno is a bug):
 *
 *  read   bytes; EAGAIN EINTR ENOMEM, or why the source cannot be read
 *  ioctl  result; ENOTTY EAGAIN EINTR ENOMEM, or what the source says
 *  poll   events
 *
 * A request that may wait goes to a thread of its own (defer.h). FUSE tells when its caller
 * was interrupted, by an INTERRUPT request that another thread answers; the system call that
 * the view sleeps in then returns EINTR, and so does the caller's, even if he had asked for
 * it to be restarted: a FUSE server cannot ask for that.
 *
 * The kernel marks what it asks for. A read(2) of a file that does not go through the page
 * cache names the owner of the caller's locks; whatever is asked for without is to fill the
 * page cache, for a mapping or for splice(2).
 */
#include "fuse/ops_blocking.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "fuse/blocked.h"
#include "fuse/poll.h"
#include "fuse/readbuf.h"

struct kvfs_blocking {
	struct fuse_session *fuse;
	struct kvfs_defer *defer;
	struct kvfs_poll *pollset;
};

/* A request on its way to the answer. */
struct asked {
	struct kvfs_deferred call;	/* first: it is what the thread is given */
	struct kvfs_blocking *live;
	fuse_req_t req;
	struct kvfs_handle *handle;
	struct kvfs_request request;
	size_t size;
	off_t off;
};

static void wake(void *what)
{
	struct fuse_pollhandle *ph = what;

	/* It fails if nobody is there to be woken. */
	fuse_lowlevel_notify_poll(ph);
	fuse_pollhandle_destroy(ph);
}

int kvfs_blocking_create(struct kvfs_blocking **out)
{
	struct kvfs_blocking *live = calloc(1, sizeof(*live));
	int ret = -ENOMEM;

	if (!live)
		return ret;
	ret = kvfs_defer_create(&live->defer);
	if (ret == 0)
		ret = kvfs_poll_create(wake, &live->pollset);
	if (ret < 0) {
		kvfs_blocking_destroy(live);
		return ret;
	}
	*out = live;
	return 0;
}

void kvfs_blocking_attach(struct kvfs_blocking *live, struct fuse_session *fuse)
{
	live->fuse = fuse;
}

void kvfs_blocking_stop(struct kvfs_blocking *live)
{
	kvfs_defer_stop(live->defer);
}

void kvfs_blocking_destroy(struct kvfs_blocking *live)
{
	if (!live)
		return;
	kvfs_defer_destroy(live->defer);
	kvfs_poll_destroy(live->pollset);
	free(live);
}

static const struct kvfs_blocking_ops *ops_of(const struct kvfs_handle *handle)
{
	return handle->node->ops->file->blocking;
}

/* A late call is begun anew when it was interrupted, unless it was for its caller. */
static bool again(const struct asked *asked, ssize_t ret)
{
	return ret == -EINTR && !kvfs_deferred_interrupted(&asked->call);
}

/* The end of a late call: no signals come any more, and no INTERRUPT finds it. */
static void end(struct asked *asked)
{
	fuse_req_interrupt_func(asked->req, NULL, NULL);
	kvfs_deferred_end(&asked->call);
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

/* The shared buffers are not for those who may keep them for long. */
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
	 * This may wait, unkillable, for somebody's READ to be answered, which is why it must
	 * not be done by one of the threads that answer, nor after they have ended. It fails
	 * if nothing was cached.
	 */
	if (stale)
		fuse_lowlevel_notify_inval_inode(asked->live->fuse, handle->node->ino, 0, 0);
	end(asked);
	reply_ioctl(asked->req, ret);
}

static void interrupt(fuse_req_t req, void *data)
{
	kvfs_deferred_interrupt(data);
}

static void run(struct kvfs_deferred *call)
{
	struct asked *asked = (struct asked *)call;

	fuse_req_interrupt_func(asked->req, interrupt, call);
	if (asked->request.what == KVFS_REQUEST_IOCTL)
		answer_ioctl_late(asked);
	else
		answer_read_late(asked);
	free(asked);
}

/* Answers at once if that takes no waiting. */
static void dispatch(struct asked *asked)
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
	ret = kvfs_defer_start(copy->live->defer, &copy->call);
	if (ret < 0) {
		free(copy);
		fuse_reply_err(asked->req, -ret);
	}
}

void kvfs_blocking_read(struct kvfs_blocking *live, fuse_req_t req, struct kvfs_handle *handle,
			size_t size, off_t off, const struct fuse_file_info *fi)
{
	struct asked asked = {
		.live = live,
		.req = req,
		.handle = handle,
		.request = {
			.what = fi->lock_owner ? KVFS_REQUEST_READ : KVFS_REQUEST_FILL,
			.nonblock = fi->flags & O_NONBLOCK,
		},
		.size = size < KVFS_READBUF_MAX ? size : KVFS_READBUF_MAX,
		.off = off,
	};

	dispatch(&asked);
}

void kvfs_blocking_ioctl(struct kvfs_blocking *live, fuse_req_t req, struct kvfs_handle *handle,
			 unsigned int cmd)
{
	struct asked asked = {
		.live = live,
		.req = req,
		.handle = handle,
		.request = {
			.what = KVFS_REQUEST_IOCTL,
			.cmd = cmd,
			/* The request does not say how it is now. */
			.nonblock = handle->nonblock,
		},
	};

	dispatch(&asked);
}

void kvfs_blocking_poll(struct kvfs_blocking *live, fuse_req_t req, struct kvfs_handle *handle,
			struct fuse_pollhandle *ph)
{
	struct pollfd fd = { .fd = ops_of(handle)->poll_fd(handle->node, handle->view) };
	void *before = NULL;
	int ret = 0;

	fd.events = POLLIN | POLLRDNORM | POLLPRI;
	/* First this, so that what happens in between is not missed. */
	if (ph)
		ret = kvfs_poll_arm(live->pollset, fd.fd, ph, &before);
	if (ret < 0)
		fuse_pollhandle_destroy(ph);
	if (before)
		fuse_pollhandle_destroy(before);
	/* Nobody would wake the caller: better that he goes on and sees. */
	if (ret < 0 || poll(&fd, 1, 0) < 0)
		fd.revents = POLLERR;
	fuse_reply_poll(req, fd.revents);
}

void kvfs_blocking_release(struct kvfs_blocking *live, struct kvfs_handle *handle)
{
	void *before = kvfs_poll_disarm(live->pollset, ops_of(handle)->poll_fd(handle->node, handle->view));

	if (before)
		fuse_pollhandle_destroy(before);
}
