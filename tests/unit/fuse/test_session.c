// SPDX-License-Identifier: GPL-2.0-only
/* The order of things from mount to unmount; what the session stands on is a stand-in that logs its calls. */
#include "fuse/session.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "failalloc.h"
#include "fuse/dispatch.h"
#include "fuse/handle.h"
#include "fuse/mount.h"
#include "fuse/ops.h"
#include "fuse/ops_blocking.h"
#include "unit.h"

const struct fuse_lowlevel_ops kvfs_ops_table;

static char calls[256];		/* a letter each */
static int mount_error, new_fails, attach_fails, dispatch_error;
static int receive_results[8], nr_received;	/* of INIT; 1: INIT itself */
static bool refused;		/* libfuse refuses the kernel's version */
static bool waiter_hangs, request_hangs;
static int nr_cpus = 4;
static struct kvfs_dispatch_config dispatch_config;
static struct kvfs_ops ops;

static void note(char c)
{
	size_t n = strlen(calls);

	ck_assert_uint_lt(n, sizeof(calls) - 1);
	calls[n] = c;
}

int __wrap_sched_getaffinity(pid_t pid, size_t len, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t len, cpu_set_t *set)
{
	CPU_ZERO_S(len, set);
	for (int i = 0; i < nr_cpus; i++)
		CPU_SET_S(i, len, set);
	return 0;
}

int kvfs_mount_create(const char *path, bool allow_other, unsigned int max_read, struct kvfs_mount *out,
		      struct kvfs_err *err)
{
	note('m');
	return mount_error ? kvfs_err_set(err, -mount_error, "no mount") : dup(STDIN_FILENO);
}

void kvfs_mount_destroy(struct kvfs_mount *mount, int fuse_fd)
{
	note('u');
}

struct fuse_session *__wrap_fuse_session_new(struct fuse_args *args, const struct fuse_lowlevel_ops *op,
					     size_t op_size, void *userdata);
struct fuse_session *__wrap_fuse_session_new(struct fuse_args *args, const struct fuse_lowlevel_ops *op,
					     size_t op_size, void *userdata)
{
	static char session;

	ck_assert_ptr_eq(userdata, &ops);
	return new_fails ? NULL : (void *)&session;
}

static int fuse_fd = -1;

int __wrap_fuse_session_mount(struct fuse_session *se, const char *mountpoint);
int __wrap_fuse_session_mount(struct fuse_session *se, const char *mountpoint)
{
	if (attach_fails)
		return -1;
	ck_assert_int_eq(sscanf(mountpoint, "/dev/fd/%d", &fuse_fd), 1);
	return 0;
}

int __wrap_fuse_session_fd(const struct fuse_session *se);
int __wrap_fuse_session_fd(const struct fuse_session *se)
{
	return fuse_fd;
}

int __wrap_fuse_session_receive_buf(struct fuse_session *se, struct fuse_buf *buf);
int __wrap_fuse_session_receive_buf(struct fuse_session *se, struct fuse_buf *buf)
{
	return receive_results[nr_received++];
}

void __wrap_fuse_session_process_buf(struct fuse_session *se, const struct fuse_buf *buf);
void __wrap_fuse_session_process_buf(struct fuse_session *se, const struct fuse_buf *buf)
{
	note('i');
	ops.initialised = !refused;
}

int __wrap_fuse_session_exited(struct fuse_session *se);
int __wrap_fuse_session_exited(struct fuse_session *se)
{
	return refused;
}

void __wrap_fuse_session_destroy(struct fuse_session *se);
void __wrap_fuse_session_destroy(struct fuse_session *se)
{
	note('x');
	if (fuse_fd >= 0)
		close(fuse_fd);
}

int kvfs_dispatch_create(const struct kvfs_dispatch_config *config, struct kvfs_dispatch **out)
{
	static char dispatch;

	note('d');
	dispatch_config = *config;
	*out = (void *)&dispatch;
	return dispatch_error;
}

bool kvfs_dispatch_stop(struct kvfs_dispatch *dispatch, int timeout_ms)
{
	ck_assert_int_gt(timeout_ms, 0);
	note('s');
	return !request_hangs;
}

void kvfs_dispatch_destroy(struct kvfs_dispatch *dispatch)
{
	if (dispatch)
		note('D');
}

void kvfs_blocking_attach(struct kvfs_blocking *blocking, struct fuse_session *fuse)
{
}

bool kvfs_blocking_stop(struct kvfs_blocking *blocking, int timeout_ms)
{
	ck_assert_int_gt(timeout_ms, 0);
	note('b');
	return !waiter_hangs;
}

void kvfs_blocking_destroy(struct kvfs_blocking *blocking)
{
	note('B');
}

void kvfs_handles_close_all(struct kvfs_ops *all)
{
	note('h');
}

static struct kvfs_session *session;
static struct kvfs_err err;

static int create(void)
{
	const struct kvfs_session_config config = { .mountpoint = "/mnt", .ops = &ops };

	memset(calls, 0, sizeof(calls));
	return kvfs_session_create(&config, &session, &err);
}

static void start(void)
{
	receive_results[0] = 1;
	ck_assert_int_eq(create(), 0);
	ck_assert_int_eq(kvfs_session_start(session, &err), 0);
}

START_TEST(a_life)
{
	start();
	ck_assert_int_eq(kvfs_session_fd(session), fuse_fd);
	/* A signal that comes before the wait is not lost. */
	raise(SIGTERM);
	ck_assert_int_eq(kvfs_session_wait(session), SIGTERM);
	ck_assert(!kvfs_session_is_stuck(session));
	kvfs_session_destroy(session);
	/* Calls that wait end while requests are answered; files are closed after both; then it unmounts. */
	ck_assert_str_eq(calls, "midbsDBhux");
	kvfs_session_destroy(NULL);
}
END_TEST

static void *unmount(void *arg)
{
	/* A stray signal ends nothing. */
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	dispatch_config.over(dispatch_config.arg);
	return NULL;
}

START_TEST(an_unmount)
{
	pthread_t thread, self = pthread_self();

	start();
	ck_assert_int_eq(pthread_create(&thread, NULL, unmount, &self), 0);
	ck_assert_int_eq(kvfs_session_wait(session), 0);
	pthread_join(thread, NULL);
	kvfs_session_destroy(session);
	ck_assert_str_eq(calls, "midbsDBhux");
}
END_TEST

START_TEST(a_source_that_hangs)
{
	waiter_hangs = _i == 0;
	request_hangs = _i == 1;
	start();
	raise(SIGINT);
	ck_assert_int_eq(kvfs_session_wait(session), SIGINT);
	ck_assert(kvfs_session_is_stuck(session));
	kvfs_session_abandon(session);
	/* Unmounted, and nothing that a request may use is gone. */
	ck_assert_str_eq(calls, "midbsu");
	ck_assert_int_eq(fcntl(fuse_fd, F_GETFD), -1);
	/* For the leak check: as if the source had answered. */
	fuse_fd = -1;
	kvfs_session_destroy(session);
}
END_TEST

START_TEST(what_can_go_wrong)
{
	mount_error = -EBUSY;
	unit_assert_error(create(), EBUSY, err, "no mount");
	mount_error = 0;
	new_fails = true;
	unit_assert_error(create(), ENOMEM, err, "libfuse cannot set up");
	new_fails = false;
	attach_fails = true;
	unit_assert_error(create(), EIO, err, "does not take the descriptor");
	attach_fails = false;
	receive_results[0] = 0;
	unit_assert_error(create(), ENOTCONN, err, "unmounted before it was ready");
	nr_received = 0;
	receive_results[0] = -EIO;
	unit_assert_error(create(), EIO, err, "do not agree");
	nr_received = 0;
	receive_results[0] = 1;
	refused = true;
	unit_assert_error(create(), EPROTO, err, "do not agree");
	ck_assert_str_eq(calls, "miBhux");
	refused = false;
	nr_received = 0;
	failalloc_arm(0);
	unit_assert_error(create(), ENOMEM, err, "the session");
	ck_assert(failalloc_happened());
	/* Interrupted, or nothing there yet: once more. */
	receive_results[0] = -EINTR;
	receive_results[1] = -EAGAIN;
	receive_results[2] = 1;
	ck_assert_int_eq(create(), 0);
	dispatch_error = -EAGAIN;
	unit_assert_error(kvfs_session_start(session, &err), EAGAIN, err, "cannot start a thread");
	kvfs_session_destroy(session);
}
END_TEST

START_TEST(threads)
{
	static const struct { int cpus; unsigned int want; } v[] = { { 1, 2 }, { 2, 2 }, { 5, 5 }, { 64, 8 } };

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		nr_cpus = v[i].cpus;
		ck_assert_uint_eq(kvfs_session_threads(false), v[i].want);
		ck_assert_uint_eq(kvfs_session_threads(true), 1);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session");
	TCase *tcase = tcase_create("session");

	tcase_add_test(tcase, a_life);
	tcase_add_test(tcase, an_unmount);
	tcase_add_loop_test(tcase, a_source_that_hangs, 0, 2);
	tcase_add_test(tcase, what_can_go_wrong);
	tcase_add_test(tcase, threads);
	suite_add_tcase(suite, tcase);
	return unit_run_suite(suite, tcase);
}
