// SPDX-License-Identifier: GPL-2.0-only
/* A command that is a child of the test, and its daemon, which is a child of that. */
#include "kviewfs/daemonize.h"

#include <signal.h>
#include <sys/wait.h>

#include "unit.h"

static int said = -1;		/* the file that is stderr of command and daemon */
static int reports[2];		/* a pipe from the daemon to the test */

struct report {
	pid_t pid, sid;
	char cwd[64];
	bool stdin_is_null;
};

/*
 * Runs a command whose daemon does what `daemon` does, and exits with what that returns. Returns
 * the wait status of the command.
 */
static int run(int (*daemon)(struct kvfs_daemonize *detach))
{
	int status;
	pid_t pid;

	said = unit_file(NULL, 0);
	ck_assert_int_eq(pipe2(reports, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct kvfs_daemonize detach = { .fd = -1 };

		dup2(said, STDERR_FILENO);
		if (kvfs_daemonize_begin(&detach) < 0)
			_exit(99);
		_exit(daemon(&detach));
	}
	close(reports[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_said(const char *want)
{
	char buf[1024];
	ssize_t n = pread(said, buf, sizeof(buf) - 1, 0);

	ck_assert_int_ge(n, 0);
	buf[n] = '\0';
	ck_assert_msg(strstr(buf, want) != NULL && (*want || n == 0), "%s", buf);
}

static int become_ready(struct kvfs_daemonize *detach)
{
	struct report report = { .pid = getpid() };
	char target[64] = "";

	kvfs_daemonize_ready(detach);
	report.sid = getsid(0);
	if (!getcwd(report.cwd, sizeof(report.cwd)))
		report.cwd[0] = '\0';
	if (readlink("/proc/self/fd/0", target, sizeof(target) - 1) > 0)
		report.stdin_is_null = strcmp(target, "/dev/null") == 0;
	return write(reports[1], &report, sizeof(report)) == sizeof(report) && detach->fd == -1 ? 0 : 1;
}

START_TEST(ready)
{
	int status = run(become_ready);
	struct report report;

	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	/* The pipe ends with the daemon: this waits for it. */
	ck_assert_int_eq(read(reports[0], &report, sizeof(report)), sizeof(report));
	ck_assert_int_eq(read(reports[0], &report, 1), 0);
	ck_assert_int_eq(report.sid, report.pid);
	ck_assert_str_eq(report.cwd, "/");
	ck_assert(report.stdin_is_null);
	assert_said("");
}
END_TEST

static int end_at_once(struct kvfs_daemonize *detach)
{
	return 3;
}

START_TEST(an_end_before_that)
{
	int status = run(end_at_once);

	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	assert_said("");
}
END_TEST

static int be_killed(struct kvfs_daemonize *detach)
{
	raise(SIGKILL);
	return 0;
}

START_TEST(a_signal_before_that)
{
	int status = run(be_killed);

	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_said("killed by signal 9");
}
END_TEST

UNIT_MAIN("daemonize", ready, an_end_before_that, a_signal_before_that)
