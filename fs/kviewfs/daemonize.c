// SPDX-License-Identifier: GPL-2.0-only
#include "kviewfs/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse/log.h"

#define READY 'R'

/* The part of the command: exits with the status of the daemon, 0 once it is ready. */
static void wait_for_child(pid_t pid, int fd) __attribute__((noreturn));
static void wait_for_child(pid_t pid, int fd)
{
	char byte = 0;
	ssize_t n;
	int status;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1 && byte == READY)
		_exit(0);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	kvfs_log_error("the daemon was killed by signal %d (%s) before it was ready", WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
	_exit(1);
}

int kvfs_daemonize_begin(struct kvfs_daemonize *daemonize)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int saved = errno;

		close(fds[0]);
		close(fds[1]);
		return -saved;
	}
	if (pid > 0) {
		close(fds[1]);
		wait_for_child(pid, fds[0]);
	}
	close(fds[0]);
	daemonize->fd = fds[1];
	return 0;
}

void kvfs_daemonize_ready(struct kvfs_daemonize *daemonize)
{
	const char byte = READY;
	int null_fd = open("/dev/null", O_RDWR);

	/* A working directory would keep its file system busy. */
	if (chdir("/") < 0)
		kvfs_log_warn("cannot leave the working directory: %s", strerror(errno));
	kvfs_log_to_syslog();
	setsid();
	if (null_fd >= 0) {
		for (int fd = 0; fd <= 2; fd++)
			dup2(null_fd, fd);
		if (null_fd > 2)
			close(null_fd);
	}
	if (write(daemonize->fd, &byte, 1) != 1)
		kvfs_log_warn("the command that started kviewfs is gone");
	close(daemonize->fd);
	daemonize->fd = -1;
}
