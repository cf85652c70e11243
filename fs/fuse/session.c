// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads. libfuse's own loop starts and ends threads as the load goes and cancels them at
 * the end. Here there is a fixed, small number, all of which read /dev/fuse, and the main
 * thread does nothing but wait for signals: that bounds memory, needs no cancellation, and
 * makes a signal an event like others. With -s there is one such thread.
 *
 * At the end a thread may be asleep in read(2). SIGUSR1, whose handler does nothing, makes
 * that call return; as it could come just before the call, it is sent again until the thread
 * is gone.
 */
#include "fuse/session.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuse/log.h"
#include "fuse/mount.h"
#include "fuse/readbuf.h"

#define MIN_THREADS 2
#define MAX_THREADS 8
/* A signal is sent again after this time. */
#define POKE_MS 10

struct kvfs_session {
	struct kvfs_ops *ops;
	struct kvfs_mount mountpoint;
	struct fuse_session *fuse;
	atomic_bool stopping;
	sem_t ended;			/* one post for each thread that came to its end */
	pthread_t main_thread;
	pthread_t threads[MAX_THREADS];
	unsigned int nr_wanted;
	unsigned int nr_threads;	/* that were started */
};

unsigned int kvfs_session_threads(bool single)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (single)
		return 1;
	if (cpus < MIN_THREADS)
		return MIN_THREADS;
	return cpus > MAX_THREADS ? MAX_THREADS : (unsigned int)cpus;
}

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
}

static void ignore_poke(int sig)
{
}

/* No SA_RESTART: the handler is there so that read(2) returns EINTR. */
static void set_up_signals(void)
{
	struct sigaction poke = { .sa_handler = ignore_poke };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	sigaction(SIGUSR1, &poke, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	stop_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void log_of_libfuse(enum fuse_log_level level, const char *fmt, va_list ap)
{
	char msg[512];
	size_t len;

	vsnprintf(msg, sizeof(msg), fmt, ap);
	len = strlen(msg);
	if (len > 0 && msg[len - 1] == '\n')
		msg[len - 1] = '\0';
	if (level <= FUSE_LOG_ERR)
		kvfs_log_error("libfuse: %s", msg);
	else if (level <= FUSE_LOG_WARNING)
		kvfs_log_warn("libfuse: %s", msg);
	else
		kvfs_log_debug("%s", msg);
}

/*
 * Answers requests until INIT is among them; the kernel sends nothing else before. When this
 * returns the kernel has taken in the answer: that happens in the write(2) of the reply.
 */
static int shake_hands(struct kvfs_session *session, struct kvfs_err *err)
{
	struct fuse_buf buf = { 0 };
	int ret = 0;

	while (!atomic_load(&session->ops->initialised)) {
		ret = fuse_session_receive_buf(session->fuse, &buf);
		if (ret == -EINTR)
			continue;
		if (ret <= 0)
			break;
		fuse_session_process_buf(session->fuse, &buf);
		/* libfuse refused the kernel's protocol version, and said so. */
		if (fuse_session_exited(session->fuse))
			ret = -EPROTO;
		if (ret < 0)
			break;
	}
	free(buf.mem);
	if (ret == 0)
		return kvfs_err_set(err, ENOTCONN, "unmounted before it was ready");
	return ret < 0 ? kvfs_err_sys(err, -ret, "the kernel and libfuse do not come to terms") : 0;
}

static int create_fuse(struct kvfs_session *session, const struct kvfs_session_config *config,
		       int fuse_fd, struct kvfs_err *err)
{
	char *argv[] = { "kviewfs", "-odebug", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(config->debug ? 2 : 1, argv);
	char dev_fd[32];
	int ret = 0;

	fuse_set_log_func(log_of_libfuse);
	session->fuse = fuse_session_new(&args, &kvfs_ops_table, sizeof(kvfs_ops_table), config->ops);
	fuse_opt_free_args(&args);
	if (!session->fuse) {
		close(fuse_fd);
		return kvfs_err_set(err, ENOMEM, "libfuse cannot set up a session");
	}
	snprintf(dev_fd, sizeof(dev_fd), "/dev/fd/%d", fuse_fd);
	if (fuse_session_mount(session->fuse, dev_fd) < 0) {
		close(fuse_fd);
		ret = kvfs_err_set(err, EIO, "libfuse does not take the descriptor of /dev/fuse");
	}
	kvfs_blocking_attach(session->ops->live, session->fuse);
	return ret;
}

int kvfs_session_create(const struct kvfs_session_config *config, struct kvfs_session **out,
			struct kvfs_err *err)
{
	struct kvfs_session *session = calloc(1, sizeof(*session));
	int fd, ret;

	if (!session)
		return kvfs_err_sys(err, ENOMEM, "the session");
	session->ops = config->ops;
	session->nr_wanted = config->threads;
	session->main_thread = pthread_self();
	sem_init(&session->ended, 0, 0);
	set_up_signals();

	fd = kvfs_mount_create(config->mountpoint, config->allow_other, KVFS_READBUF_MAX,
			       &session->mountpoint, err);
	if (fd < 0) {
		ret = fd;
		goto fail;
	}
	ret = create_fuse(session, config, fd, err);
	if (ret < 0)
		goto fail;
	ret = shake_hands(session, err);
	if (ret < 0)
		goto fail;
	*out = session;
	return 0;

fail:
	kvfs_session_destroy(session);
	return ret;
}

int kvfs_session_fd(const struct kvfs_session *session)
{
	return fuse_session_fd(session->fuse);
}

static void *serve(void *arg)
{
	struct kvfs_session *session = arg;
	struct fuse_buf buf = { 0 };
	sigset_t poke;

	sigemptyset(&poke);
	sigaddset(&poke, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &poke, NULL);
	while (!atomic_load(&session->stopping)) {
		int ret = fuse_session_receive_buf(session->fuse, &buf);

		if (ret == -EINTR || ret == -EAGAIN)
			continue;
		/* 0: unmounted; below: a failure that libfuse has told of. */
		if (ret <= 0)
			break;
		fuse_session_process_buf(session->fuse, &buf);
	}
	free(buf.mem);
	sem_post(&session->ended);
	pthread_kill(session->main_thread, SIGUSR1);
	return NULL;
}

int kvfs_session_start(struct kvfs_session *session, struct kvfs_err *err)
{
	while (session->nr_threads < session->nr_wanted) {
		int ret = pthread_create(&session->threads[session->nr_threads], NULL, serve, session);

		/* With fewer threads it is slower, and that is all. */
		if (ret != 0 && session->nr_threads == 0)
			return kvfs_err_sys(err, ret, "cannot start a thread");
		if (ret != 0)
			break;
		session->nr_threads++;
	}
	return 0;
}

/* Makes every thread come to its end, and waits for that. */
static void stop_threads(struct kvfs_session *session)
{
	unsigned int left = session->nr_threads;

	atomic_store(&session->stopping, true);
	if (session->fuse)
		fuse_session_exit(session->fuse);
	while (left > 0) {
		struct timespec until;

		for (unsigned int i = 0; i < session->nr_threads; i++)
			pthread_kill(session->threads[i], SIGUSR1);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += POKE_MS * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000L;
		}
		while (left > 0 && sem_clockwait(&session->ended, CLOCK_MONOTONIC, &until) == 0)
			left--;
	}
	for (unsigned int i = 0; i < session->nr_threads; i++)
		pthread_join(session->threads[i], NULL);
	session->nr_threads = 0;
}

/*
 * What a thread's end means: that of all, if the mount is gone, or if it was the last one. A
 * thread may also fail alone, for want of memory.
 */
static bool is_over(struct kvfs_session *session)
{
	int nr_ended;

	sem_getvalue(&session->ended, &nr_ended);
	return fuse_session_exited(session->fuse) || (unsigned int)nr_ended == session->nr_threads;
}

int kvfs_session_wait(struct kvfs_session *session)
{
	sigset_t set;
	int sig;

	stop_signals(&set);
	do {
		sig = sigwaitinfo(&set, NULL);
	} while (sig < 0 || (sig == SIGUSR1 && !is_over(session)));
	kvfs_blocking_stop(session->ops->live);
	stop_threads(session);
	/* SIGUSR1 is a thread that saw the unmount. */
	return sig == SIGUSR1 ? 0 : sig;
}

void kvfs_session_destroy(struct kvfs_session *session)
{
	if (!session)
		return;
	stop_threads(session);
	/* Wakes those who poll, while there is somebody to tell. */
	kvfs_blocking_destroy(session->ops->live);
	session->ops->live = NULL;
	/* Those who have files open get no release, unmounted as they are. */
	kvfs_handles_close_all(session->ops);
	kvfs_mount_destroy(&session->mountpoint, session->fuse ? fuse_session_fd(session->fuse) : -1);
	if (session->fuse)
		fuse_session_destroy(session->fuse);
	sem_destroy(&session->ended);
	free(session);
}
