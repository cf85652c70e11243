// SPDX-License-Identifier: GPL-2.0-only
#include "uringwrap.h"

#include <errno.h>
#include <liburing.h>
#include <string.h>
#include <unistd.h>

#include "extent/uring.h"

int __wrap_io_uring_queue_init_params(unsigned int entries, struct io_uring *ring,
				      struct io_uring_params *p);
int __wrap_io_uring_queue_init(unsigned int entries, struct io_uring *ring, unsigned int flags);
int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned int nr);
void __wrap_io_uring_queue_exit(struct io_uring *ring);
int __real_io_uring_queue_init_params(unsigned int entries, struct io_uring *ring,
				      struct io_uring_params *p);
int __real_io_uring_queue_init(unsigned int entries, struct io_uring *ring, unsigned int flags);
int __real_io_uring_submit_and_wait(struct io_uring *ring, unsigned int nr);
void __real_io_uring_queue_exit(struct io_uring *ring);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off);
ssize_t __real_pread(int fd, void *buf, size_t len, off_t off);
ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t off);

struct uringwrap uringwrap = { .submit_fail_at = -1, .break_wait_at = -1, .cancel_at = -1 };

bool uringwrap_is_real(void)
{
	struct io_uring ring;

	if (__real_io_uring_queue_init(4, &ring, 0))
		return false;
	__real_io_uring_queue_exit(&ring);
	return true;
}

int __wrap_io_uring_queue_init_params(unsigned int entries, struct io_uring *ring,
				      struct io_uring_params *p)
{
	int ret;

	if (uringwrap.init_error)
		return uringwrap.init_error;
	if (uringwrap.flags_error && p->flags)
		return uringwrap.flags_error;
	ret = __real_io_uring_queue_init_params(entries, ring, p);
	uringwrap.rings_made += ret == 0;
	return ret;
}

int __wrap_io_uring_queue_init(unsigned int entries, struct io_uring *ring, unsigned int flags)
{
	int ret = uringwrap.init_error;

	if (!ret)
		ret = __real_io_uring_queue_init(entries, ring, flags);
	uringwrap.rings_made += ret == 0;
	return ret;
}

void __wrap_io_uring_queue_exit(struct io_uring *ring)
{
	uringwrap.rings_gone++;
	uringwrap.exited_busy += (int)(*ring->sq.khead - *ring->cq.ktail);
	__real_io_uring_queue_exit(ring);
}

/* For the promise about descriptors: how many requests of each are on their way. */
static int busy[1024], fd_of[KVFS_URING_DEPTH];
static unsigned int seen_head;

/* Looks at the requests that are new since the last call, and at what was reaped since then. */
static void look_at_queues(const struct io_uring *ring)
{
	for (; seen_head != *ring->cq.khead; seen_head++)
		busy[fd_of[ring->cq.cqes[seen_head & ring->cq.ring_mask].user_data]]--;
	for (unsigned int i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++) {
		const struct io_uring_sqe *sqe = &ring->sq.sqes[i & ring->sq.ring_mask];

		fd_of[sqe->user_data] = sqe->fd;
		if (++busy[sqe->fd] > uringwrap.most_busy)
			uringwrap.most_busy = busy[sqe->fd];
	}
}

int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned int nr)
{
	int call = uringwrap.submits++;
	int ret;

	if (uringwrap.watch_fds)
		look_at_queues(ring);
	if (call == uringwrap.submit_fail_at)
		return uringwrap.submit_error;
	if (call == uringwrap.break_wait_at) {
		io_uring_submit(ring);
		return -EBADF;
	}
	ret = __real_io_uring_submit_and_wait(ring, nr);
	if (call == uringwrap.cancel_at)
		ring->cq.cqes[*ring->cq.khead & ring->cq.ring_mask].res = -ECANCELED;
	return ret;
}

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off)
{
	uringwrap.preads++;
	return __real_pread(fd, buf, len, off);
}

ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t off)
{
	return __wrap_pread(fd, buf, len, off);
}
