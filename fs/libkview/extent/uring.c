// SPDX-License-Identifier: GPL-2.0-only
#include "extent/uring.h"

#include <errno.h>
#include <liburing.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"

/* Most bytes of one request: what a read(2) gives at once, and fits the 32 bits of an SQE. */
#define MAX_REQUEST_LEN 0x7ffff000U
/* How long to wait for completions when the kernel cannot be asked to wait. */
#define DRAIN_NAP_NS (100 * 1000)

/* Why io_uring is not used; NULL while it is. Goes from NULL to a text once, never back. */
static _Atomic(const char *) unusable_reason;
static pthread_once_t probe_once = PTHREAD_ONCE_INIT;
static pthread_key_t ring_key;

/* A thread's ring. */
struct thread_ring {
	struct io_uring ring;
	pid_t pid;		/* who made it: after fork(2) its memory is not the child's */
	bool usable;		/* set up, and has not failed */
};

enum read_state {
	WAITING,		/* not begun, or its remainder */
	IN_FLIGHT,		/* in the submission queue or with the kernel */
	DONE,
};

/* Up to KVFS_URING_DEPTH reads on their way through a ring. */
struct batch {
	struct kvfs_uring_read *reads;	/* result counts the bytes so far until a read is DONE */
	size_t n;
	enum read_state state[KVFS_URING_DEPTH];
	size_t nr_done;
	size_t nr_queued;		/* requests written to the submission queue, ever */
	size_t nr_reaped;		/* completions taken, ever */
};

/*
 * Completions wait for this thread's next system call in place of interrupting it, where the
 * kernel knows how; deferring them further would hide them from a ring whose waiting fails.
 */
static int setup_ring(struct io_uring *ring)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN,
	};
	int ret;

	memset(ring, 0, sizeof(*ring));
	ret = io_uring_queue_init_params(KVFS_URING_DEPTH, ring, &params);
	if (ret == -EINVAL) {
		memset(ring, 0, sizeof(*ring));
		ret = io_uring_queue_init(KVFS_URING_DEPTH, ring, 0);
	}
	return ret;
}

static void destroy_thread_ring(void *p)
{
	struct thread_ring *tr = p;

	if (tr->usable && tr->pid == getpid())
		io_uring_queue_exit(&tr->ring);
	free(tr);
}

static const char *probe_reason(void)
{
	struct io_uring_probe *probe;
	struct io_uring ring;
	bool can_read;
	int ret;

	ret = pthread_key_create(&ring_key, destroy_thread_ring);
	if (ret)
		return "no thread-specific key is left";
	ret = setup_ring(&ring);
	switch (ret) {
	case 0:
		break;
	case -ENOSYS:
		return "the kernel has no io_uring";
	case -EPERM:
	case -EACCES:
		return "io_uring is not permitted (kernel.io_uring_disabled, seccomp or an LSM)";
	default:
		return "a ring cannot be set up";
	}
	probe = io_uring_get_probe_ring(&ring);
	can_read = probe && io_uring_opcode_supported(probe, IORING_OP_READ);
	io_uring_free_probe(probe);
	io_uring_queue_exit(&ring);
	return can_read ? NULL : "this kernel's io_uring has no plain read";
}

static void disable(const char *reason)
{
	const char *none = NULL;

	atomic_compare_exchange_strong(&unusable_reason, &none, reason);
}

static void probe(void)
{
	const char *reason;

	if (atomic_load(&unusable_reason))
		return;
	reason = probe_reason();
	if (reason)
		disable(reason);
}

bool kvfs_uring_available(const char **reason)
{
	const char *why;

	pthread_once(&probe_once, probe);
	why = atomic_load(&unusable_reason);
	if (reason)
		*reason = why;
	return !why;
}

void kvfs_uring_disable(void)
{
	disable("switched off");
}

/* This thread's ring, or NULL if it must do without. */
static struct thread_ring *get_thread_ring(void)
{
	struct thread_ring *tr;

	if (!kvfs_uring_available(NULL))
		return NULL;
	tr = pthread_getspecific(ring_key);
	if (tr && tr->pid != getpid()) {
		/* The parent's: nothing of it may be touched but its descriptor. */
		if (tr->usable)
			close(tr->ring.ring_fd);
		free(tr);
		pthread_setspecific(ring_key, NULL);
		tr = NULL;
	}
	if (!tr) {
		tr = malloc(sizeof(*tr));
		if (!tr)
			return NULL;
		tr->pid = getpid();
		tr->usable = setup_ring(&tr->ring) == 0;
		if (pthread_setspecific(ring_key, tr)) {
			destroy_thread_ring(tr);
			return NULL;
		}
	}
	return tr->usable ? tr : NULL;
}

static void read_plain(struct kvfs_uring_read *r)
{
	r->result = kvfs_io_pread(r->fd, r->buf, r->len, r->off);
}

/* As read_plain(), for a read that has r->result bytes already. */
static void finish_plain(struct kvfs_uring_read *r)
{
	size_t had = (size_t)r->result;
	ssize_t more = kvfs_io_pread(r->fd, (char *)r->buf + had, r->len - had, r->off + had);

	if (more > 0)
		r->result += more;
	else if (!had)
		r->result = more;
}

/* Whether pread(2) would refuse it; an offset of -1 means "the file position" to io_uring. */
static bool is_addressable(const struct kvfs_uring_read *r)
{
	return r->off <= INT64_MAX && r->len <= INT64_MAX - r->off;
}

static void queue_read(struct batch *b, struct io_uring *ring, size_t i)
{
	struct kvfs_uring_read *r = &b->reads[i];
	size_t had = (size_t)r->result;
	size_t want = r->len - had;
	/* Never NULL: one read has at most one request, and the queue has room for each. */
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	io_uring_prep_read(sqe, r->fd, (char *)r->buf + had,
			   want < MAX_REQUEST_LEN ? (unsigned int)want : MAX_REQUEST_LEN,
			   r->off + had);
	io_uring_sqe_set_data64(sqe, i);
	b->state[i] = IN_FLIGHT;
	b->nr_queued++;
}

/* Starts the first waiting read of fd from the i-th on. */
static void queue_next_of(struct batch *b, struct io_uring *ring, int fd, size_t i)
{
	for (; i < b->n; i++) {
		if (b->reads[i].fd == fd && b->state[i] == WAITING) {
			queue_read(b, ring, i);
			return;
		}
	}
}

/* Whether no read of the same descriptor before the i-th is still to be done. */
static bool is_next_of_its_fd(const struct batch *b, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (b->state[j] != DONE && b->reads[j].fd == b->reads[i].fd)
			return false;
	return true;
}

/*
 * Takes one completion. Returns true if only a part was read and the read goes on. What
 * failed is tried with pread(2), whose word is final: io_uring has failures of its own, such
 * as ECANCELED where no worker thread can be made.
 */
static bool complete(struct batch *b, const struct io_uring_cqe *cqe)
{
	size_t i = (size_t)io_uring_cqe_get_data64(cqe);
	struct kvfs_uring_read *r = &b->reads[i];

	b->nr_reaped++;
	if (cqe->res > 0) {
		r->result += cqe->res;
		if ((size_t)r->result < r->len) {
			b->state[i] = WAITING;
			return true;
		}
	} else if (cqe->res < 0) {
		finish_plain(r);
	}
	b->state[i] = DONE;
	b->nr_done++;
	return false;
}

/* Requests that the kernel has taken and not answered. */
static size_t nr_in_kernel(const struct batch *b, struct io_uring *ring)
{
	return b->nr_queued - io_uring_sq_ready(ring) - b->nr_reaped;
}

/* Takes the completions that are there, and queues what can follow on them. */
static void reap(struct batch *b, struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	unsigned int head, count = 0;

	io_uring_for_each_cqe(ring, head, cqe) {
		size_t i = (size_t)io_uring_cqe_get_data64(cqe);
		bool goes_on = complete(b, cqe);

		count++;
		if (goes_on)
			queue_read(b, ring, i);
		else
			queue_next_of(b, ring, b->reads[i].fd, i + 1);
	}
	io_uring_cq_advance(ring, count);
}

/*
 * The ring does not take or wait for requests any more: waits for those the kernel has, since
 * it goes on writing to their buffers, by looking at the completion queue alone. What is not
 * DONE then, also what is queued and will never be submitted, is for pread(2) to carry on
 * with, behind the bytes that each has got.
 */
static void drain(struct batch *b, struct io_uring *ring)
{
	static const struct timespec nap = { .tv_nsec = DRAIN_NAP_NS };

	for (;;) {
		reap(b, ring);
		if (!nr_in_kernel(b, ring))
			break;
		nanosleep(&nap, NULL);
	}
}

/* Runs a batch. Returns false if the ring broke: reads may then not be DONE. */
static bool run_ring(struct batch *b, struct io_uring *ring)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->state[i] == WAITING && is_next_of_its_fd(b, i))
			queue_read(b, ring, i);
	while (b->nr_done < b->n) {
		int ret = io_uring_submit_and_wait(ring, 1);

		/* With nothing on its way nothing would ever come. */
		if ((ret < 0 && ret != -EINTR) || (ret == 0 && !nr_in_kernel(b, ring))) {
			drain(b, ring);
			return false;
		}
		reap(b, ring);
	}
	return true;
}

/* Nothing can go side by side: the ring would only be a detour. */
static bool is_one_fd(const struct kvfs_uring_read *reads, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (reads[i].fd != reads[0].fd)
			return false;
	return true;
}

/* At most KVFS_URING_DEPTH reads. */
static void read_some(struct kvfs_uring_read *reads, size_t n)
{
	struct batch b = { .reads = reads, .n = n };
	struct thread_ring *tr = is_one_fd(reads, n) ? NULL : get_thread_ring();

	for (size_t i = 0; i < n; i++) {
		reads[i].result = 0;
		if (!is_addressable(&reads[i])) {
			read_plain(&reads[i]);
			b.state[i] = DONE;
			b.nr_done++;
		}
	}
	if (tr && !run_ring(&b, &tr->ring)) {
		io_uring_queue_exit(&tr->ring);
		tr->usable = false;
		disable("a ring failed while it was in use");
	}
	for (size_t i = 0; i < n; i++)
		if (b.state[i] != DONE)
			finish_plain(&reads[i]);
}

void kvfs_uring_read_batch(struct kvfs_uring_read *reads, size_t n)
{
	while (n) {
		size_t some = n < KVFS_URING_DEPTH ? n : KVFS_URING_DEPTH;

		read_some(reads, some);
		reads += some;
		n -= some;
	}
}
