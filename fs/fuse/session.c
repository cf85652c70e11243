// SPDX-License-Identifier: GPL-2.0-only
/*
 * The main thread waits for signals, and does nothing else: a signal is an event like others.
 * Requests are taken and processed by threads of the pool (dispatch.h). libfuse's own loop is not
 * used, since it bounds threads neither in number nor by source, and cancels them at the end.
 */
#include "fuse/session.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/dispatch.h"
#include "fuse/handle.h"
#include "fuse/log.h"
#include "fuse/mount.h"
#include "fuse/ops_blocking.h"
#include "fuse/readbuf.h"

#define MIN_THREADS 2
#define MAX_THREADS 8
/* At the end, time for requests that are in process. What takes longer is taken to hang. */
#define STOP_MS 2000

struct kvfs_session {
	struct kvfs_ops *ops;
	struct kvfs_mount mount;
	struct fuse_session *fuse;
	struct kvfs_pool *pool;
	struct kvfs_dispatch *dispatch;
	bool single;
	bool stuck;			/* requests still ran when waiting for them ended */
	atomic_bool over;		/* a thread has seen the unmount */
	pthread_t main_thread;
};

unsigned int kvfs_session_threads(bool single)
{
	cpu_set_t set;
	int cpus;

	if (single)
		return 1;
	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	cpus = CPU_COUNT(&set);
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
 * returns, the kernel has the answer: it takes it in the write(2) of the reply.
 */
static int shake_hands(struct kvfs_session *session, struct kvfs_err *err)
{
	struct fuse_buf buf = { 0 };
	int ret = 0;

	while (!atomic_load(&session->ops->initialised)) {
		ret = fuse_session_receive_buf(session->fuse, &buf);
		if (ret == -EINTR || ret == -EAGAIN)
			continue;
		if (ret <= 0)
			break;
		fuse_session_process_buf(session->fuse, &buf);
		/* libfuse refused the kernel's protocol version, and logged it. */
		if (fuse_session_exited(session->fuse))
			ret = -EPROTO;
		if (ret < 0)
			break;
	}
	free(buf.mem);
	if (ret == 0)
		return kvfs_err_set(err, ENOTCONN, "unmounted before it was ready");
	return ret < 0 ? kvfs_err_sys(err, -ret, "the kernel and libfuse do not agree on a protocol") : 0;
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
	kvfs_blocking_attach(session->ops->blocking, session->fuse);
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
	session->pool = config->pool;
	session->single = config->single;
	session->main_thread = pthread_self();
	set_up_signals();

	fd = kvfs_mount_create(config->mountpoint, config->allow_other, KVFS_READBUF_MAX,
			       &session->mount, err);
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

/* Called by the thread that sees the unmount: wakes the main thread. */
static void set_over(void *arg)
{
	struct kvfs_session *session = arg;

	atomic_store(&session->over, true);
	pthread_kill(session->main_thread, SIGUSR1);
}

int kvfs_session_start(struct kvfs_session *session, struct kvfs_err *err)
{
	const struct kvfs_dispatch_config config = {
		.fuse = session->fuse,
		.pool = session->pool,
		/* One more, so that a request that comes while all others are answered starts no thread. */
		.threads = kvfs_session_threads(session->single) + !session->single,
		.single = session->single,
		.over = set_over,
		.arg = session,
	};
	int ret = kvfs_dispatch_create(&config, &session->dispatch);

	return ret < 0 ? kvfs_err_sys(err, -ret, "cannot start a thread") : 0;
}

int kvfs_session_wait(struct kvfs_session *session)
{
	sigset_t set;
	int sig;

	stop_signals(&set);
	do {
		sig = sigwaitinfo(&set, NULL);
	} while (sig < 0 || (sig == SIGUSR1 && !atomic_load(&session->over)));
	/* First the calls that wait: to end, they may need requests to be answered. */
	session->stuck = !kvfs_blocking_stop(session->ops->blocking, STOP_MS);
	session->stuck |= !kvfs_dispatch_stop(session->dispatch, STOP_MS);
	/* SIGUSR1 is the unmount. */
	return sig == SIGUSR1 ? 0 : sig;
}

bool kvfs_session_is_stuck(const struct kvfs_session *session)
{
	return session->stuck;
}

void kvfs_session_abandon(struct kvfs_session *session)
{
	int fd = fuse_session_fd(session->fuse);

	kvfs_mount_destroy(&session->mount, fd);
	/* Fails all requests now. Threads that cannot be killed keep the process's descriptors open. */
	close(fd);
}

void kvfs_session_destroy(struct kvfs_session *session)
{
	if (!session)
		return;
	kvfs_dispatch_destroy(session->dispatch);
	/* Wakes callers of poll(2) while the session can still notify them. */
	kvfs_blocking_destroy(session->ops->blocking);
	session->ops->blocking = NULL;
	/* The kernel sends no RELEASE for files that are open at the unmount. */
	kvfs_handles_close_all(session->ops);
	kvfs_mount_destroy(&session->mount, session->fuse ? fuse_session_fd(session->fuse) : -1);
	if (session->fuse)
		fuse_session_destroy(session->fuse);
	free(session);
}
