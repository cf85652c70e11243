// SPDX-License-Identifier: GPL-2.0-only
#include "extent/uring.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "failalloc.h"
#include "base/io.h"
#include "unit.h"
#include "uringwrap.h"

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

/* The test is of a ring: main() skips it where the kernel makes none. */
static void need_io_uring(void)
{
	const char *reason;

	make_files();
	ck_assert_msg(kvfs_uring_available(&reason), "%s", reason);
}

START_TEST(a_batch_goes_through_the_ring)
{
	need_io_uring();
	check_batch(NR_FILES, NR_FILES);
	ck_assert_int_gt(uringwrap.submits, 0);
	ck_assert_int_eq(uringwrap.preads, 0);
	ck_assert(kvfs_uring_available(NULL));
}
END_TEST

START_TEST(long_batches_take_several_rounds)
{
	need_io_uring();
	check_batch(1, NR_FILES);
	check_batch(KVFS_URING_DEPTH, NR_FILES);
	check_batch(KVFS_URING_DEPTH + 1, NR_FILES);
	check_batch(300, NR_FILES);
	check_batch(300, 2);
	ck_assert_int_eq(uringwrap.rings_made, 2);	/* the probe's and the one that is lent */
	ck_assert_int_eq(uringwrap.rings_gone, 1);
}
END_TEST

START_TEST(readers_of_one_descriptor_take_turns)
{
	need_io_uring();
	uringwrap.watch_fds = true;
	check_batch(300, 4);
	ck_assert_int_eq(uringwrap.most_busy, 1);
	ck_assert_int_eq(uringwrap.preads, 0);
}
END_TEST

START_TEST(one_descriptor_needs_no_ring)
{
	make_files();
	check_batch(1, 1);
	check_batch(20, 1);
	ck_assert_int_eq(uringwrap.submits, 0);
	ck_assert_int_eq(uringwrap.preads, 21);
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
	uringwrap.init_error = -ENOSYS;
	ck_assert(!kvfs_uring_available(&reason));
	ck_assert_str_eq(reason, "the kernel has no io_uring");
	check_batch(100, NR_FILES);
	ck_assert_int_eq(uringwrap.submits, 0);
	ck_assert_int_eq(uringwrap.preads, 100);
}
END_TEST

START_TEST(forbidden_has_its_own_error)
{
	const char *reason;

	uringwrap.init_error = -EPERM;
	ck_assert(!kvfs_uring_available(&reason));
	ck_assert_ptr_nonnull(strstr(reason, "not permitted"));
	make_files();
	check_batch(10, 5);
	uringwrap.init_error = 0;		/* too late: the answer stands */
	ck_assert(!kvfs_uring_available(NULL));
}
END_TEST

START_TEST(other_failures_of_the_probe)
{
	const char *reason;

	uringwrap.init_error = -ENOMEM;
	ck_assert(!kvfs_uring_available(&reason));
	ck_assert_ptr_nonnull(strstr(reason, "cannot be set up"));
}
END_TEST

START_TEST(flags_the_kernel_does_not_know_are_left_out)
{
	uringwrap.flags_error = -EINVAL;
	need_io_uring();
	check_batch(100, NR_FILES);
	ck_assert_int_gt(uringwrap.submits, 0);
	ck_assert_int_eq(uringwrap.preads, 0);
}
END_TEST

START_TEST(a_thread_without_a_ring_does_without)
{
	need_io_uring();
	uringwrap.init_error = -ENOMEM;
	check_batch(10, 5);
	ck_assert_int_eq(uringwrap.submits, 0);
	ck_assert(kvfs_uring_available(NULL));
}
END_TEST

START_TEST(a_thread_without_memory_does_without)
{
	char buf[2][16];
	struct kvfs_uring_read reads[2];

	need_io_uring();
	for (int i = 0; i < 2; i++)
		reads[i] = (struct kvfs_uring_read){ .fd = fds[i], .buf = buf[i], .len = 16 };
	failalloc_arm(0);
	kvfs_uring_read_batch(reads, 2);
	ck_assert(failalloc_happened());
	ck_assert_int_eq(reads[0].result + reads[1].result, 32);
	ck_assert_int_eq(uringwrap.submits, 0);
	check_batch(10, 5);
	ck_assert_int_gt(uringwrap.submits, 0);
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
	ck_assert_int_eq(uringwrap.submits + uringwrap.rings_made, 0);
}
END_TEST

/* Every read comes back whole, wherever the ring breaks: before it takes the requests, */
START_TEST(a_submission_that_fails)
{
	const char *reason;

	need_io_uring();
	uringwrap.submit_fail_at = _i / 2;
	uringwrap.submit_error = _i % 2 ? -EBUSY : -EBADF;
	check_batch(60, 6);
	ck_assert_int_gt(uringwrap.preads, 0);
	ck_assert(!kvfs_uring_available(&reason));
	ck_assert_ptr_nonnull(strstr(reason, "failed while it was in use"));
	check_batch(60, 6);
	ck_assert_int_eq(uringwrap.rings_gone, 2);
}
END_TEST

START_TEST(a_submission_that_takes_nothing)
{
	need_io_uring();
	uringwrap.submit_fail_at = 0;
	uringwrap.submit_error = 0;
	check_batch(60, 6);
	ck_assert_int_gt(uringwrap.preads, 0);
	ck_assert(!kvfs_uring_available(NULL));
}
END_TEST

/* or after. */
START_TEST(a_wait_that_fails)
{
	need_io_uring();
	uringwrap.break_wait_at = _i;
	check_batch(60, 6);
	ck_assert_int_gt(uringwrap.preads, 0);
	ck_assert(!kvfs_uring_available(NULL));
}
END_TEST

/*
 * As above, with a file that cannot be read at once, so that the kernel is still writing to
 * the buffers when the ring breaks.
 */
START_TEST(a_wait_that_fails_over_slow_reads)
{
	static char want[6][4096], got[6][4096];
	struct kvfs_uring_read reads[6];
	int slow[6];

	need_io_uring();
	for (int i = 0; i < 6; i++) {
		slow[i] = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
		ck_assert_int_ge(slow[i], 0);
		reads[i] = (struct kvfs_uring_read){
			.fd = slow[i], .buf = got[i], .len = 4096, .off = 500000 + (uint64_t)i * 100,
		};
		/* seq_file: a read ends with a whole line. */
		ck_assert_int_eq(kvfs_io_pread(slow[i], want[i], 4096, reads[i].off), 4096);
	}
	uringwrap.break_wait_at = 0;
	kvfs_uring_read_batch(reads, 6);
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(reads[i].result, 4096);
		ck_assert_mem_eq(got[i], want[i], 4096);
		close(slow[i]);
	}
	ck_assert_int_eq(uringwrap.exited_busy, 0);
	ck_assert(!kvfs_uring_available(NULL));
}
END_TEST

START_TEST(what_io_uring_cannot_do_pread_does)
{
	need_io_uring();
	uringwrap.cancel_at = 0;
	check_batch(60, 6);
	ck_assert_int_eq(uringwrap.preads, 1);
	ck_assert(kvfs_uring_available(NULL));
}
END_TEST

static void *break_a_ring(void *arg)
{
	uringwrap.break_wait_at = 0;
	check_batch(60, 6);
	return NULL;
}

START_TEST(a_broken_ring_is_given_up_once)
{
	pthread_t thread;

	need_io_uring();
	ck_assert_int_eq(pthread_create(&thread, NULL, break_a_ring, NULL), 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(uringwrap.rings_made, 2);
	ck_assert_int_eq(uringwrap.rings_gone, 2);
}
END_TEST

START_TEST(signals_do_not_break_it)
{
	need_io_uring();
	uringwrap.submit_fail_at = 1;
	uringwrap.submit_error = -EINTR;
	check_batch(60, 6);
	ck_assert_int_eq(uringwrap.preads, 0);
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

START_TEST(a_ring_is_not_made_for_each_thread)
{
	int number = 0;

	need_io_uring();
	for (int i = 0; i < 100; i++) {
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL, read_a_lot, &number), 0);
		pthread_join(thread, NULL);
	}
	ck_assert_int_eq(uringwrap.rings_made, 2);	/* the probe's is the other */
	ck_assert_int_eq(uringwrap.rings_gone, 1);
}
END_TEST

START_TEST(threads_have_rings_of_their_own)
{
	pthread_t threads[4];
	int numbers[4] = { 0, 1, 2, 3 };

	need_io_uring();
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_a_lot, &numbers[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	/* As many as batches ran at once, which are kept. */
	ck_assert_int_le(uringwrap.rings_made, 5);
	ck_assert_int_eq(uringwrap.rings_gone, 1);
}
END_TEST

START_TEST(a_child_makes_its_own)
{
	int status;
	pid_t pid;

	need_io_uring();
	check_batch(30, 4);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		uringwrap.rings_made = 0;
		check_batch(30, 4);
		_exit(uringwrap.rings_made == 1 && uringwrap.preads == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	check_batch(30, 4);
	ck_assert_int_eq(uringwrap.preads, 0);
}
END_TEST

START_TEST(a_child_of_a_thread_without_a_ring)
{
	struct stat before, after;
	int status;
	pid_t pid;

	need_io_uring();
	uringwrap.init_error = -ENOMEM;
	check_batch(30, 4);
	uringwrap.init_error = 0;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		/* There is no descriptor to close, not even the first. */
		if (fstat(STDIN_FILENO, &before))
			_exit(1);
		check_batch(30, 4);
		_exit(fstat(STDIN_FILENO, &after) || before.st_ino != after.st_ino ||
		      before.st_dev != after.st_dev || !uringwrap.submits);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	/* What needs no ring, or the lack of one. */
	const TTest *const plain_tests[] = {
		one_descriptor_needs_no_ring, each_read_has_its_own_result,
		a_refused_read_does_not_hold_up_the_others_of_its_descriptor,
		short_reads_are_carried_on_with, without_a_ring_it_is_pread, forbidden_has_its_own_error,
		other_failures_of_the_probe, disabled_for_good,
	};
	const TTest *const ring_tests[] = {
		a_batch_goes_through_the_ring, long_batches_take_several_rounds,
		readers_of_one_descriptor_take_turns, flags_the_kernel_does_not_know_are_left_out,
		a_thread_without_a_ring_does_without, a_thread_without_memory_does_without,
		signals_do_not_break_it, a_ring_is_not_made_for_each_thread,
		threads_have_rings_of_their_own, a_child_makes_its_own, a_submission_that_takes_nothing,
		a_wait_that_fails_over_slow_reads, what_io_uring_cannot_do_pread_does,
		a_broken_ring_is_given_up_once, a_child_of_a_thread_without_a_ring,
		a_submission_that_fails, a_wait_that_fails,
	};
	const size_t nr_plain = sizeof(plain_tests) / sizeof(plain_tests[0]);
	const size_t nr_ring = sizeof(ring_tests) / sizeof(ring_tests[0]);
	Suite *suite = suite_create("uring");
	TCase *tcase = tcase_create("uring");

	suite_add_tcase(suite, tcase);
	for (size_t i = 0; i < nr_plain; i++)
		tcase_add_test(tcase, plain_tests[i]);
	if (!uringwrap_is_real())
		return unit_run_suite_and_skip(suite, tcase, ring_tests, nr_ring,
					       "the kernel makes no io_uring");
	/* The last two are loops. */
	for (size_t i = 0; i < nr_ring - 2; i++)
		tcase_add_test(tcase, ring_tests[i]);
	tcase_add_loop_test(tcase, a_submission_that_fails, 0, 8);
	tcase_add_loop_test(tcase, a_wait_that_fails, 0, 4);
	return unit_run_suite(suite, tcase);
}
