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

/* Rings that are kept when no batch uses them. */
#define MAX_IDLE 8

/* A ring is lent to one batch at a time, on whichever thread that runs. */
struct lent_ring {
	struct io_uring ring;
	pid_t pid;		/* the process that made it: after fork(2) its memory is not the child's */
};

static pthread_mutex_t idle_lock = PTHREAD_MUTEX_INITIALIZER;	/* the two below */
static struct lent_ring *idle[MAX_IDLE];
static size_t nr_idle;

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
 * Completions wait for the thread's next system call in place of interrupting it, where the
 * kernel knows how; deferring them further would hide them from a ring whose waiting fails.
 * IORING_SETUP_SINGLE_ISSUER would tie the ring to the thread that makes it.
 */
static int setup_ring(struct io_uring *ring)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_COOP_TASKRUN,
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

static const char *probe_reason(void)
{
	struct io_uring_probe *probe;
	struct io_uring ring;
	bool can_read;
	int ret;

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

/* An idle ring of this process, or NULL. */
static struct lent_ring *take_idle(void)
{
	struct lent_ring *lent = NULL;

	pthread_mutex_lock(&idle_lock);
	while (nr_idle > 0 && !lent) {
		lent = idle[--nr_idle];
		if (lent->pid == getpid())
			continue;
		/* The parent's: nothing of it may be touched but its descriptor. */
		close(lent->ring.ring_fd);
		free(lent);
		lent = NULL;
	}
	pthread_mutex_unlock(&idle_lock);
	return lent;
}

/* A ring that no other batch has, or NULL: then the batch does without. */
static struct lent_ring *get_ring(void)
{
	struct lent_ring *lent;

	if (!kvfs_uring_available(NULL))
		return NULL;
	lent = take_idle();
	if (lent)
		return lent;
	lent = malloc(sizeof(*lent));
	if (!lent)
		return NULL;
	lent->pid = getpid();
	if (setup_ring(&lent->ring) == 0)
		return lent;
	free(lent);
	return NULL;
}

static void destroy_ring(struct lent_ring *lent)
{
	io_uring_queue_exit(&lent->ring);
	free(lent);
}

static void put_ring(struct lent_ring *lent)
{
	pthread_mutex_lock(&idle_lock);
	if (nr_idle < MAX_IDLE) {
		idle[nr_idle++] = lent;
		lent = NULL;
	}
	pthread_mutex_unlock(&idle_lock);
	if (lent)
		destroy_ring(lent);
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
 * with, after the bytes that each has got.
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
	struct lent_ring *lent = is_one_fd(reads, n) ? NULL : get_ring();

	for (size_t i = 0; i < n; i++) {
		reads[i].result = 0;
		if (!is_addressable(&reads[i])) {
			read_plain(&reads[i]);
			b.state[i] = DONE;
			b.nr_done++;
		}
	}
	if (lent && run_ring(&b, &lent->ring)) {
		put_ring(lent);
	} else if (lent) {
		destroy_ring(lent);
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
