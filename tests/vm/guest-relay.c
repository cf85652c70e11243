// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest-relay OUT ERR COMMAND [ARG...] - runs COMMAND with its standard output
 * copied to the device OUT and its standard error to ERR, as they come and byte for
 * byte, and exits with its status as a shell would give it (128 + N for a signal N).
 *
 * A virtio-serial port can be open only once, so COMMAND cannot have the port itself:
 * programs that open /dev/stdout would fail. And a background process that COMMAND leaves
 * may hold its output open for ever, so the output ends with the bytes that are in the
 * pipes when COMMAND ends, not with end-of-file.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit status for a failure of guest-relay itself, as env(1) and chroot(1) do it. */
#define RELAY_FAILED	125

/** struct stream - one output of the command and where it goes */
struct stream {
	int pipe;	/* read end, non-blocking; -1 after end-of-file */
	int port;	/* the device */
};

static void write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			err(RELAY_FAILED, "write to the host");
		}
		buf += n;
		len -= (size_t)n;
	}
}

/* Copy the bytes that are in the pipe now. */
static void relay(struct stream *stream)
{
	static char buf[65536];
	ssize_t n;

	while (stream->pipe >= 0) {
		n = read(stream->pipe, buf, sizeof(buf));
		if (n > 0) {
			write_all(stream->port, buf, (size_t)n);
		} else if (n == 0) {
			close(stream->pipe);
			stream->pipe = -1;
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR) {
			err(RELAY_FAILED, "read from the command");
		}
	}
}

/* Open the port and make the pipe; returns the pipe's write end. */
static int open_stream(struct stream *stream, const char *port)
{
	int ends[2];

	stream->port = open(port, O_WRONLY | O_CLOEXEC);
	if (stream->port < 0)
		err(RELAY_FAILED, "%s", port);
	if (pipe2(ends, O_CLOEXEC) < 0)
		err(RELAY_FAILED, "pipe2");
	/* Only our end: the command must not see O_NONBLOCK. */
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		err(RELAY_FAILED, "O_NONBLOCK");
	stream->pipe = ends[0];
	return ends[1];
}

static pid_t start(char **argv, int out, int err_fd, const sigset_t *sigmask)
{
	pid_t pid = fork();
	int null;

	if (pid < 0)
		err(RELAY_FAILED, "fork");
	if (pid > 0)
		return pid;

	null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(err_fd, STDERR_FILENO) < 0)
		_exit(RELAY_FAILED);
	if (null != STDIN_FILENO)
		close(null);
	setsid();
	sigprocmask(SIG_SETMASK, sigmask, NULL);
	execvp(argv[0], argv);
	warn("%s", argv[0]);
	_exit(errno == ENOENT ? 127 : 126);
}

/* True once the command has ended; *status is then its status as a shell shows it. */
static bool has_ended(pid_t pid, int *status)
{
	int wstatus;
	pid_t got;

	/* Orphans go to PID 1, so the command is the only child. */
	do {
		got = waitpid(pid, &wstatus, WNOHANG);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		err(RELAY_FAILED, "waitpid");
	if (got == 0)
		return false;
	*status = WIFSIGNALED(wstatus) ? 128 + WTERMSIG(wstatus) : WEXITSTATUS(wstatus);
	return true;
}

int main(int argc, char **argv)
{
	struct stream streams[2];
	struct signalfd_siginfo info;
	sigset_t sigchld, before;
	int write_ends[2], signals, status;
	pid_t pid;

	if (argc < 4) {
		warnx("usage: guest-relay OUT ERR COMMAND [ARG...]");
		return RELAY_FAILED;
	}
	sigemptyset(&sigchld);
	sigaddset(&sigchld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &sigchld, &before);
	signals = signalfd(-1, &sigchld, SFD_CLOEXEC);
	if (signals < 0)
		err(RELAY_FAILED, "signalfd");
	for (int i = 0; i < 2; i++)
		write_ends[i] = open_stream(&streams[i], argv[1 + i]);
	pid = start(argv + 3, write_ends[0], write_ends[1], &before);
	for (int i = 0; i < 2; i++)
		close(write_ends[i]);

	do {
		struct pollfd fds[3] = {
			{ .fd = streams[0].pipe, .events = POLLIN },
			{ .fd = streams[1].pipe, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
		};

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			err(RELAY_FAILED, "poll");
		for (int i = 0; i < 2; i++)
			relay(&streams[i]);
		if (fds[2].revents && read(signals, &info, sizeof(info)) < 0)
			err(RELAY_FAILED, "signalfd");
	} while (!has_ended(pid, &status));

	for (int i = 0; i < 2; i++)
		relay(&streams[i]);
	return status;
}
