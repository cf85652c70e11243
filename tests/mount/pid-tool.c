// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes for the tests of pid/. Each prints "ready", and ends when its standard input ends.
 *
 *   pid-tool many N        has N children
 *   pid-tool as PID        has a child with that number
 *   pid-tool maps N        maps N times 16 pages, all of them touched, with gaps between
 *   pid-tool exec          executes itself when it is sent a byte
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static void die(const char *what)
{
	fprintf(stderr, "pid-tool: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void be_child(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void say_ready(void)
{
	printf("ready\n");
	fflush(stdout);
}

/* Waits for a byte, and returns 1, or for the end of standard input, and returns 0. */
static int wait_for_input(void)
{
	char c;

	return read(STDIN_FILENO, &c, 1) == 1;
}

static void end_children(const pid_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	for (size_t i = 0; i < n; i++)
		waitpid(pids[i], NULL, 0);
}

static void many(size_t n)
{
	pid_t *pids = calloc(n, sizeof(*pids));
	size_t made;

	for (made = 0; pids && made < n; made++) {
		pids[made] = fork();
		if (pids[made] == 0)
			be_child();
		if (pids[made] < 0)
			break;
	}
	if (made < n) {
		int errnum = errno;

		end_children(pids, made);
		errno = errnum;
		die("fork");
	}
	say_ready();
	wait_for_input();
	end_children(pids, made);
}

static void as(pid_t pid)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (child < 0)
		die("clone3");
	if (child == 0)
		be_child();
	say_ready();
	wait_for_input();
	end_children(&child, 1);
}

static void maps(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* Twice the length, with the second half left empty. */
		char *p = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			die("mmap");
		munmap(p + 16 * PAGE, 16 * PAGE);
		memset(p, (int)i + 1, 16 * PAGE);
	}
	say_ready();
	wait_for_input();
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "many") == 0) {
		many(strtoul(argv[2], NULL, 10));
	} else if (argc == 3 && strcmp(argv[1], "as") == 0) {
		as(atoi(argv[2]));
	} else if (argc == 3 && strcmp(argv[1], "maps") == 0) {
		maps(strtoul(argv[2], NULL, 10));
	} else if (argc == 2 && strcmp(argv[1], "exec") == 0) {
		say_ready();
		if (wait_for_input())
			execv("/proc/self/exe", argv);
	} else {
		fprintf(stderr, "usage: pid-tool many N | as PID | maps N | exec\n");
		return 2;
	}
	return 0;
}
