// SPDX-License-Identifier: GPL-2.0-only
#include "uring.h"

#include <errno.h>
#include <liburing.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "failalloc.h"
#include "unit.h"

/* liburing as a test wants it. Each test has a process of its own, so nothing is put back. */
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

static int init_error;			/* of every ring, 0: none */
static int flags_error;			/* of rings with flags */
static atomic_int rings_made, rings_gone, submits, preads;
static int submit_fail_at = -1, submit_error;	/* before anything is submitted */
static int break_wait_at = -1;			/* submits, but says that waiting failed */

int __wrap_io_uring_queue_init_params(unsigned int entries, struct io_uring *ring,
				      struct io_uring_params *p)
{
	int ret;

	if (init_error)
		return init_error;
	if (flags_error && p->flags)
		return flags_error;
	ret = __real_io_uring_queue_init_params(entries, ring, p);
	rings_made += ret == 0;
	return ret;
}

int __wrap_io_uring_queue_init(unsigned int entries, struct io_uring *ring, unsigned int flags)
{
	int ret = init_error ? init_error : __real_io_uring_queue_init(entries, ring, flags);

	rings_made += ret == 0;
	return ret;
}

void __wrap_io_uring_queue_exit(struct io_uring *ring)
{
	rings_gone++;
	__real_io_uring_queue_exit(ring);
}

/* For the promise about descriptors: how many requests of each are on their way. */
static bool watch_fds;
static int busy[1024], fd_of[KVFS_URING_DEPTH], most_busy;
static unsigned int seen_head;

/* Looks at the requests that are new since the last call, and at what was reaped since then. */
static void look_at_queues(const struct io_uring *ring)
{
	for (; seen_head != *ring->cq.khead; seen_head++)
		busy[fd_of[ring->cq.cqes[seen_head & ring->cq.ring_mask].user_data]]--;
	for (unsigned int i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++) {
		const struct io_uring_sqe *sqe = &ring->sq.sqes[i & ring->sq.ring_mask];

		fd_of[sqe->user_data] = sqe->fd;
		if (++busy[sqe->fd] > most_busy)
			most_busy = busy[sqe->fd];
	}
}

int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned int nr)
{
	int call = submits++;

	if (watch_fds)
		look_at_queues(ring);
	if (call == submit_fail_at)
		return submit_error;
	if (call == break_wait_at) {
		io_uring_submit(ring);
		return -EBADF;
	}
	return __real_io_uring_submit_and_wait(ring, nr);
}

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off)
{
	preads++;
	return __real_pread(fd, buf, len, off);
}

ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t off)
{
	return __wrap_pread(fd, buf, len, off);
}

#define NR_FILES 8
#define FILE_LEN (64 * 1024)
#define PIECE 1000

static int fds[NR_FILES];

static unsigned char byte_at(int file, uint64_t off)
{
	return (unsigned char)(off * 31 + (off >> 8) * 7 + (uint64_t)file * 101);
}

static void make_files(void)
{
	static unsigned char buf[FILE_LEN];

	for (int i = 0; i < NR_FILES; i++) {
		for (uint64_t off = 0; off < FILE_LEN; off++)
			buf[off] = byte_at(i, off);
		fds[i] = unit_file(buf, FILE_LEN);
	}
}

/* Reads n pieces from nr_files files in turn, and checks every byte. */
static void check_batch(size_t n, int nr_files)
{
	struct kvfs_uring_read *reads = calloc(n, sizeof(*reads));
	unsigned char *buf = malloc(n * PIECE);
	size_t wrong = 0;

	memset(buf, 0xee, n * PIECE);
	for (size_t i = 0; i < n; i++)
		reads[i] = (struct kvfs_uring_read){
			.fd = fds[i % (size_t)nr_files], .buf = buf + i * PIECE, .len = PIECE,
			.off = i * 37 % (FILE_LEN - PIECE), .result = -1,
		};
	kvfs_uring_read_batch(reads, n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(reads[i].result, PIECE);
		for (size_t j = 0; j < PIECE; j++)
			wrong += buf[i * PIECE + j] != byte_at((int)(i % (size_t)nr_files),
							       reads[i].off + j);
	}
	ck_assert_uint_eq(wrong, 0);
	free(buf);
	free(reads);
}

/* Where this machine has no io_uring the tests of it would test nothing. */
static bool have_io_uring(void)
{
	const char *reason;

	make_files();
	if (kvfs_uring_available(&reason))
		return true;
	printf("# io_uring cannot be used here: %s\n", reason);
	return false;
}

START_TEST(a_batch_goes_through_the_ring)
{
	if (!have_io_uring())
		return;
	check_batch(NR_FILES, NR_FILES);
	ck_assert_int_gt(submits, 0);
	ck_assert_int_eq(preads, 0);
	ck_assert(kvfs_uring_available(NULL));
}
END_TEST

START_TEST(long_batches_take_several_rounds)
{
	if (!have_io_uring())
		return;
	check_batch(1, NR_FILES);
	check_batch(KVFS_URING_DEPTH, NR_FILES);
	check_batch(KVFS_URING_DEPTH + 1, NR_FILES);
	check_batch(300, NR_FILES);
	check_batch(300, 2);
	ck_assert_int_eq(rings_made, 2);	/* the probe's and this thread's */
	ck_assert_int_eq(rings_gone, 1);
}
END_TEST

START_TEST(readers_of_one_descriptor_take_turns)
{
	if (!have_io_uring())
		return;
	watch_fds = true;
	check_batch(300, 4);
	ck_assert_int_eq(most_busy, 1);
	ck_assert_int_eq(preads, 0);
}
END_TEST

START_TEST(one_descriptor_needs_no_ring)
{
	make_files();
	check_batch(1, 1);
	check_batch(20, 1);
	ck_assert_int_eq(submits, 0);
	ck_assert_int_eq(preads, 21);
}
END_TEST

START_TEST(each_read_has_its_own_result)
{
	char buf[6][64];
	struct kvfs_uring_read reads[6];

	make_files();
	for (int i = 0; i < 6; i++)
		reads[i] = (struct kvfs_uring_read){ .fd = fds[i], .buf = buf[i], .len = 64 };
	reads[0].off = FILE_LEN - 10;		/* short */
	reads[1].off = FILE_LEN;		/* at the end */
	reads[2].fd = -1;			/* EBADF */
	reads[3].off = UINT64_MAX;		/* to io_uring: the position of the file */
	reads[4].len = 0;
	kvfs_uring_read_batch(reads, 6);
	ck_assert_int_eq(reads[0].result, 10);
	ck_assert_int_eq(reads[1].result, 0);
	ck_assert_int_eq(reads[2].result, -EBADF);
	ck_assert_int_eq(reads[3].result, -EOVERFLOW);
	ck_assert_int_eq(reads[4].result, 0);
	ck_assert_int_eq(reads[5].result, 64);
	kvfs_uring_read_batch(reads, 0);
}
END_TEST

START_TEST(a_refused_read_does_not_hold_up_the_others_of_its_descriptor)
{
	char buf[4][16];
	struct kvfs_uring_read reads[4];

	make_files();
	for (int i = 0; i < 4; i++)
		reads[i] = (struct kvfs_uring_read){ .fd = fds[i % 2], .buf = buf[i], .len = 16 };
	reads[0].off = UINT64_MAX;
	reads[1].fd = -1;
	reads[3].fd = -1;
	kvfs_uring_read_batch(reads, 4);
	ck_assert_int_eq(reads[0].result, -EOVERFLOW);
	ck_assert_int_eq(reads[1].result, -EBADF);
	ck_assert_int_eq(reads[2].result, 16);
	ck_assert_int_eq(reads[3].result, -EBADF);
}
END_TEST

START_TEST(short_reads_are_carried_on_with)
{
	char buf[2][4096];
	struct kvfs_uring_read reads[2];
	int fd;

	make_files();
	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);	/* gives whole lines only */
	ck_assert_int_ge(fd, 0);
	reads[0] = (struct kvfs_uring_read){ .fd = fd, .buf = buf[0], .len = 1500 };
	reads[1] = (struct kvfs_uring_read){ .fd = fds[0], .buf = buf[1], .len = 1500 };
	kvfs_uring_read_batch(reads, 2);
	ck_assert_int_eq(reads[0].result, 1500);
	ck_assert_int_eq(reads[1].result, 1500);
	close(fd);
}
END_TEST

START_TEST(without_a_ring_it_is_pread)
{
	const char *reason;

	make_files();
	init_error = -ENOSYS;
	ck_assert(!kvfs_uring_available(&reason));
	ck_assert_str_eq(reason, "the kernel has no io_uring");
	check_batch(100, NR_FILES);
	ck_assert_int_eq(submits, 0);
	ck_assert_int_eq(preads, 100);
}
END_TEST

START_TEST(forbidden_is_told_apart)
{
	const char *reason;

	init_error = -EPERM;
	ck_assert(!kvfs_uring_available(&reason));
	ck_assert_ptr_nonnull(strstr(reason, "not permitted"));
	make_files();
	check_batch(10, 5);
	init_error = 0;		/* too late: the answer stands */
	ck_assert(!kvfs_uring_available(NULL));
}
END_TEST

START_TEST(other_failures_of_the_probe)
{
	const char *reason;

	init_error = -ENOMEM;
	ck_assert(!kvfs_uring_available(&reason));
	ck_assert_ptr_nonnull(strstr(reason, "cannot be set up"));
}
END_TEST

START_TEST(flags_the_kernel_does_not_know_are_left_out)
{
	flags_error = -EINVAL;
	if (!have_io_uring())
		return;
	check_batch(100, NR_FILES);
	ck_assert_int_gt(submits, 0);
	ck_assert_int_eq(preads, 0);
}
END_TEST

START_TEST(a_thread_without_a_ring_does_without)
{
	if (!have_io_uring())
		return;
	init_error = -ENOMEM;
	check_batch(10, 5);
	ck_assert_int_eq(submits, 0);
	ck_assert(kvfs_uring_available(NULL));
}
END_TEST

START_TEST(a_thread_without_memory_does_without)
{
	char buf[2][16];
	struct kvfs_uring_read reads[2];

	if (!have_io_uring())
		return;
	for (int i = 0; i < 2; i++)
		reads[i] = (struct kvfs_uring_read){ .fd = fds[i], .buf = buf[i], .len = 16 };
	failalloc_arm(0);
	kvfs_uring_read_batch(reads, 2);
	ck_assert(failalloc_happened());
	ck_assert_int_eq(reads[0].result + reads[1].result, 32);
	ck_assert_int_eq(submits, 0);
	check_batch(10, 5);
	ck_assert_int_gt(submits, 0);
}
END_TEST

START_TEST(disabled_for_good)
{
	const char *reason;

	make_files();
	kvfs_uring_disable();
	ck_assert(!kvfs_uring_available(&reason));
	ck_assert_str_eq(reason, "switched off");
	check_batch(20, 5);
	ck_assert_int_eq(submits + rings_made, 0);
}
END_TEST

/* Every read comes back whole, wherever the ring breaks: before it takes the requests, */
START_TEST(a_submission_that_fails)
{
	const char *reason;

	if (!have_io_uring())
		return;
	submit_fail_at = _i / 2;
	submit_error = _i % 2 ? -EBUSY : -EBADF;
	check_batch(60, 6);
	ck_assert_int_gt(preads, 0);
	ck_assert(!kvfs_uring_available(&reason));
	ck_assert_ptr_nonnull(strstr(reason, "failed while it was in use"));
	check_batch(60, 6);
	ck_assert_int_eq(rings_gone, 2);
}
END_TEST

START_TEST(a_submission_that_takes_nothing)
{
	if (!have_io_uring())
		return;
	submit_fail_at = 0;
	submit_error = 0;
	check_batch(60, 6);
	ck_assert_int_gt(preads, 0);
	ck_assert(!kvfs_uring_available(NULL));
}
END_TEST

/* or after. */
START_TEST(a_wait_that_fails)
{
	if (!have_io_uring())
		return;
	break_wait_at = _i;
	check_batch(60, 6);
	ck_assert_int_gt(preads, 0);
	ck_assert(!kvfs_uring_available(NULL));
}
END_TEST

START_TEST(signals_do_not_break_it)
{
	if (!have_io_uring())
		return;
	submit_fail_at = 1;
	submit_error = -EINTR;
	check_batch(60, 6);
	ck_assert_int_eq(preads, 0);
	ck_assert(kvfs_uring_available(NULL));
}
END_TEST

static void *read_a_lot(void *arg)
{
	int *first = arg;

	for (int i = 0; i < 20; i++)
		check_batch(30 + (size_t)*first, 4);
	return NULL;
}

START_TEST(threads_have_rings_of_their_own)
{
	pthread_t threads[4];
	int numbers[4] = { 0, 1, 2, 3 };

	if (!have_io_uring())
		return;
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_a_lot, &numbers[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(rings_made, 5);
	ck_assert_int_eq(rings_gone, 5);	/* with their threads */
}
END_TEST

START_TEST(a_child_makes_its_own)
{
	int status;
	pid_t pid;

	if (!have_io_uring())
		return;
	check_batch(30, 4);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		rings_made = 0;
		check_batch(30, 4);
		_exit(rings_made == 1 && preads == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	check_batch(30, 4);
	ck_assert_int_eq(preads, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("uring");
	TCase *tcase = tcase_create("uring");
	const TTest *const tests[] = {
		a_batch_goes_through_the_ring, long_batches_take_several_rounds,
		readers_of_one_descriptor_take_turns, one_descriptor_needs_no_ring, each_read_has_its_own_result,
		a_refused_read_does_not_hold_up_the_others_of_its_descriptor,
		short_reads_are_carried_on_with, without_a_ring_it_is_pread, forbidden_is_told_apart,
		other_failures_of_the_probe, flags_the_kernel_does_not_know_are_left_out,
		a_thread_without_a_ring_does_without, a_thread_without_memory_does_without,
		disabled_for_good, signals_do_not_break_it, threads_have_rings_of_their_own,
		a_child_makes_its_own, a_submission_that_takes_nothing,
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, a_submission_that_fails, 0, 8);
	tcase_add_loop_test(tcase, a_wait_that_fails, 0, 4);
	suite_add_tcase(suite, tcase);
	return unit_run_suite(suite, tcase);
}
