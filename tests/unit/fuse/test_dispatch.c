// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel is a stand-in: a queue of requests, of which some never return from processing, and
 * errors that receiving meets.
 */
#include "fuse/dispatch.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "fuse/lanes.h"
#include "node/node.h"
#include "unit.h"

#define VMCORE KVFS_INO(KVFS_PROVIDER_VMCORE, 7)
#define KCORE KVFS_INO(KVFS_PROVIDER_KCORE, 7)
#define MAX 2000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* all below */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct fuse_in_header queue[MAX];
static int nr_queued, nr_taken;
static int errors[16];		/* that the next receivers get, as libfuse returns them */
static int nr_errors, nr_met;
static bool unmounted, exited, hang = true;
static int nr_hanging, nr_reading, most_reading;
static atomic_int nr_naps;
static int answered[MAX];	/* by unique */
static int nr_over;
static uint64_t interrupted;	/* what an INTERRUPT request is for */
static int fuse_fd = -1;

/* Threads that have a request and neither process it nor read again. */
static int nr_between;
static _Thread_local bool between;

static struct kvfs_pool *pool;
static struct kvfs_dispatch *dispatch;

static void ignore(int sig)
{
}

/* SIGUSR1 ends a read(2); here the sleep is polled for it. */
static void nap(pthread_cond_t *cond)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(cond, &lock, &until);
}

static void set_between(bool is)
{
	nr_between += is - between;
	between = is;
}

int __wrap_fuse_session_receive_buf(struct fuse_session *se, struct fuse_buf *buf);
int __wrap_fuse_session_receive_buf(struct fuse_session *se, struct fuse_buf *buf)
{
	int ret = 0;

	if (!buf->mem)
		buf->mem = malloc(4096);
	pthread_mutex_lock(&lock);
	set_between(false);
	nr_reading++;
	if (nr_reading > most_reading)
		most_reading = nr_reading;
	pthread_cond_broadcast(&changed);
	while (nr_taken == nr_queued && nr_met == nr_errors && !unmounted && !exited)
		nap(&changed);
	nr_reading--;
	if (nr_met < nr_errors) {
		ret = errors[nr_met++];
	} else if (exited) {
		ret = -EINTR;
	} else if (nr_taken < nr_queued) {
		memcpy(buf->mem, &queue[nr_taken++], sizeof(queue[0]));
		memcpy((char *)buf->mem + sizeof(queue[0]), &interrupted, sizeof(interrupted));
		buf->size = sizeof(queue[0]) + sizeof(interrupted);
		ret = (int)buf->size;
		set_between(true);
	}
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return ret;
}

void __wrap_fuse_session_process_buf(struct fuse_session *se, const struct fuse_buf *buf);
void __wrap_fuse_session_process_buf(struct fuse_session *se, const struct fuse_buf *buf)
{
	struct fuse_in_header in;

	memcpy(&in, buf->mem, sizeof(in));
	pthread_mutex_lock(&lock);
	set_between(false);
	if (KVFS_INO_PROVIDER(in.nodeid) == KVFS_PROVIDER_VMCORE && in.opcode == FUSE_READ) {
		nr_hanging++;
		pthread_cond_broadcast(&changed);
		while (hang)
			nap(&changed);
		nr_hanging--;
	}
	answered[in.unique]++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

int __wrap_fuse_session_fd(const struct fuse_session *se);
int __wrap_fuse_session_fd(const struct fuse_session *se)
{
	return fuse_fd;
}

void __wrap_fuse_session_exit(struct fuse_session *se);
void __wrap_fuse_session_exit(struct fuse_session *se)
{
	pthread_mutex_lock(&lock);
	exited = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

int __real_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	nr_naps++;
	return __real_nanosleep(time, left);
}

static void over(void *arg)
{
	pthread_mutex_lock(&lock);
	nr_over++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void set_up(unsigned int threads, bool single)
{
	const struct kvfs_dispatch_config config = {
		.threads = threads,
		.single = single,
		.over = over,
	};
	struct kvfs_dispatch_config complete = config;
	struct sigaction action = { .sa_handler = ignore };

	sigaction(SIGUSR1, &action, NULL);
	ck_assert_int_eq(kvfs_pool_create(1000, &pool), 0);
	complete.pool = pool;
	ck_assert_int_eq(kvfs_dispatch_create(&complete, &dispatch), 0);
}

static void tear_down(void)
{
	kvfs_dispatch_destroy(dispatch);
	kvfs_pool_destroy(pool);
}

/* Sends a request. Returns its unique number. */
static int send(uint32_t opcode, uint64_t nodeid)
{
	int nr;

	pthread_mutex_lock(&lock);
	nr = nr_queued++;
	queue[nr] = (struct fuse_in_header){
		.len = sizeof(queue[0]), .opcode = opcode, .nodeid = nodeid, .unique = (uint64_t)nr,
	};
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return nr;
}

#define wait_until(condition) \
	do { \
		pthread_mutex_lock(&lock); \
		while (!(condition)) \
			pthread_cond_wait(&changed, &lock); \
		pthread_mutex_unlock(&lock); \
	} while (0)

static void let_go(void)
{
	pthread_mutex_lock(&lock);
	hang = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

START_TEST(a_hung_source_holds_up_no_other)
{
	int nr;

	set_up(2, false);
	for (int i = 0; i < 300; i++)
		send(FUSE_READ, VMCORE + (uint64_t)(i % 10));
	wait_until(nr_hanging == KVFS_LANES_MAX_DATA && nr_taken == 300);
	nr = send(FUSE_READ, KCORE);
	wait_until(answered[nr]);
	nr = send(FUSE_LOOKUP, VMCORE);
	wait_until(answered[nr]);
	nr = send(FUSE_READDIRPLUS, KVFS_INO_ROOT);
	wait_until(answered[nr]);
	ck_assert_int_eq(nr_hanging, KVFS_LANES_MAX_DATA);
	/* It answers in the end: each request is processed, once. */
	let_go();
	for (int i = 0; i < 303; i++)
		wait_until(answered[i]);
	wait_until(nr_reading == 2);
	for (int i = 0; i < 303; i++)
		ck_assert_int_eq(answered[i], 1);
	tear_down();
}
END_TEST

START_TEST(a_parked_request_is_interrupted)
{
	struct fuse_out_header out;
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	fuse_fd = p[1];
	set_up(2, false);
	for (int i = 0; i < KVFS_LANES_MAX_FILE; i++)
		send(FUSE_READ, VMCORE);
	wait_until(nr_hanging == KVFS_LANES_MAX_FILE);
	for (int i = KVFS_LANES_MAX_FILE; i < 20; i++)
		send(FUSE_READ, VMCORE);
	/* The threads that took these read again: they are parked. */
	wait_until(nr_taken == 20 && nr_between == 0);
	interrupted = 19;
	send(FUSE_INTERRUPT, 0);
	ck_assert_int_eq(read(p[0], &out, sizeof(out)), sizeof(out));
	ck_assert_uint_eq(out.len, sizeof(out));
	ck_assert_int_eq(out.error, -EINTR);
	ck_assert_uint_eq(out.unique, 19);
	let_go();
	for (int i = 0; i < 19; i++)
		wait_until(answered[i]);
	tear_down();
	ck_assert_int_eq(answered[19], 0);
}
END_TEST

START_TEST(as_many_read_as_are_wanted)
{
	set_up(3, false);
	wait_until(nr_reading == 3);
	for (int i = 0; i < MAX; i++)
		send(i % 3 ? FUSE_GETATTR : FUSE_FORGET, KCORE);
	for (int i = 0; i < MAX; i++)
		wait_until(answered[i] == 1);
	wait_until(nr_reading == 3);
	/* One more is started where all three were busy at a time. */
	ck_assert_int_le(most_reading, 4);
	tear_down();
}
END_TEST

START_TEST(one_after_another)
{
	int nr, after;

	set_up(1, true);
	nr = send(FUSE_READ, VMCORE);
	wait_until(nr_hanging == 1);
	after = send(FUSE_READ, KCORE);
	ck_assert_int_eq(nr_reading, 0);
	let_go();
	wait_until(answered[nr] && answered[after]);
	ck_assert_int_eq(most_reading, 1);
	tear_down();
}
END_TEST

START_TEST(transient_errors_end_nothing)
{
	static const int all[] = { -ENOMEM, -EINTR, -EAGAIN, -EIO, -ENOENT, -ENFILE, -ENOMEM, -EINVAL };
	int nr;

	memcpy(errors, all, sizeof(all));
	nr_errors = sizeof(all) / sizeof(all[0]);
	set_up(2, false);
	wait_until(nr_met == nr_errors && nr_reading == 2);
	nr = send(FUSE_GETATTR, KCORE);
	wait_until(answered[nr]);
	ck_assert_int_eq(nr_over, 0);
	/* A pause after each that can repeat at once, but for those that may just have been interrupted. */
	ck_assert_int_eq(nr_naps, nr_errors - 2);
	tear_down();
}
END_TEST

START_TEST(the_end_of_the_mount)
{
	static const int last[] = { -ENODEV, -ECONNABORTED, 0 };

	errors[0] = last[_i];
	nr_errors = _i < 2;
	unmounted = _i == 2;	/* libfuse returns 0 */
	set_up(2, false);
	wait_until(nr_over == 1);
	pthread_mutex_lock(&lock);
	unmounted = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	tear_down();
	ck_assert_int_eq(nr_over, 1);
}
END_TEST

START_TEST(stopping_while_one_hangs)
{
	set_up(2, false);
	send(FUSE_READ, VMCORE);
	wait_until(nr_hanging == 1);
	ck_assert(!kvfs_dispatch_stop(dispatch, 30));
	ck_assert_int_eq(nr_over, 0);
	let_go();
	ck_assert(kvfs_dispatch_stop(dispatch, -1));
	tear_down();
}
END_TEST

START_TEST(out_of_threads)
{
	struct kvfs_dispatch_config config = { .threads = 4, .over = over };
	int nr;

	/* Two of four: they do. */
	set_up(1, false);
	tear_down();
	exited = false;
	ck_assert_int_eq(kvfs_pool_create(2, &pool), 0);
	config.pool = pool;
	ck_assert_int_eq(kvfs_dispatch_create(&config, &dispatch), 0);
	nr = send(FUSE_READ, VMCORE);
	wait_until(nr_hanging == 1);
	send(FUSE_GETATTR, KCORE);
	wait_until(answered[nr + 1]);
	let_go();
	tear_down();
	ck_assert_int_eq(kvfs_pool_create(0, &config.pool), 0);
	ck_assert_int_eq(kvfs_dispatch_create(&config, &dispatch), -EAGAIN);
	kvfs_pool_destroy(config.pool);
	kvfs_dispatch_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dispatch");
	TCase *tcase = tcase_create("dispatch");

	tcase_add_test(tcase, a_hung_source_holds_up_no_other);
	tcase_add_test(tcase, a_parked_request_is_interrupted);
	tcase_add_test(tcase, as_many_read_as_are_wanted);
	tcase_add_test(tcase, one_after_another);
	tcase_add_test(tcase, transient_errors_end_nothing);
	tcase_add_loop_test(tcase, the_end_of_the_mount, 0, 3);
	tcase_add_test(tcase, stopping_while_one_hangs);
	tcase_add_test(tcase, out_of_threads);
	suite_add_tcase(suite, tcase);
	return unit_run_suite(suite, tcase);
}
