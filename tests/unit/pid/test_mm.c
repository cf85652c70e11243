// SPDX-License-Identifier: GPL-2.0-only
#include "pid/mm.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "unit.h"

/* A child that stops, and executes a program that waits when it goes on. */
static pid_t start_child(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		raise(SIGSTOP);
		execlp("sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(test_exit)
{
	pid_t pid = start_child();
	struct kvfs_process_id id;
	struct kvfs_mm mm, again;
	uint64_t nr;
	char buf[16];

	ck_assert_int_eq(kvfs_process_identify(pid, &id), 0);
	ck_assert_int_eq(kvfs_mm_open(&id, &mm), 0);
	ck_assert_int_eq(kvfs_mm_check(&mm), 0);
	ck_assert_int_eq(kvfs_mm_mapped_pages(&mm, &nr), 0);
	ck_assert_uint_gt(nr, 0);
	ck_assert_uint_lt(nr, mm.nr_pages);
	ck_assert_int_eq(kvfs_mm_read_pagemap(&mm, buf, 16, 5), 16);
	/* A zombie has its number still, and no memory. */
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(kvfs_mm_check(&mm), -ESRCH);
	ck_assert_int_eq(kvfs_mm_read_pagemap(&mm, buf, 16, 5), -ESRCH);
	ck_assert_int_eq(kvfs_mm_open(&id, &again), -ENOENT);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(kvfs_mm_check(&mm), -ESRCH);
	ck_assert_int_eq(kvfs_mm_read_pagemap(&mm, buf, 16, 5), -ESRCH);
	ck_assert_int_eq(kvfs_mm_mapped_pages(&mm, &nr), -ESRCH);
	ck_assert_int_eq(kvfs_mm_open(&id, &again), -ENOENT);
	kvfs_mm_close(&mm);
}
END_TEST

/* The same process, another program: what was open belongs to the one that is gone. */
START_TEST(test_exec)
{
	pid_t pid = start_child();
	struct kvfs_process_id id;
	struct kvfs_mm mm, again;

	ck_assert_int_eq(kvfs_process_identify(pid, &id), 0);
	ck_assert_int_eq(kvfs_mm_open(&id, &mm), 0);
	kill(pid, SIGCONT);
	for (int i = 0; i < 1000 && kvfs_mm_check(&mm) == 0; i++)
		usleep(10000);
	ck_assert_int_eq(kvfs_mm_check(&mm), -ESRCH);
	ck_assert_int_eq(kvfs_mm_open(&id, &again), 0);
	ck_assert_int_eq(kvfs_mm_check(&again), 0);
	kvfs_mm_close(&again);
	kvfs_mm_close(&mm);
	end_child(pid);
}
END_TEST

/* Executes a program once somebody writes to the pipe. */
static int exec_when_told(void *from)
{
	static char *const argv[] = { "sleep", "1000", NULL };
	char c;

	if (read(*(int *)from, &c, 1) == 1)
		execv("/bin/sleep", argv);
	_exit(1);
}

/* The same while another process, which is this one, goes on with the old address space. */
START_TEST(test_exec_of_one)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct kvfs_process_id id;
	struct kvfs_mm mm;
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = clone(exec_when_told, stack + sizeof(stack), CLONE_VM | SIGCHLD, fds);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(kvfs_process_identify(pid, &id), 0);
	ck_assert_int_eq(kvfs_mm_open(&id, &mm), 0);
	ck_assert_int_eq(kvfs_mm_remember(&mm), 0);
	ck_assert_int_eq(kvfs_mm_check_own(&mm), 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	for (int i = 0; i < 1000 && kvfs_mm_check_own(&mm) == 0; i++)
		usleep(10000);
	ck_assert_int_eq(kvfs_mm_check_own(&mm), -ESRCH);
	ck_assert_int_eq(kvfs_mm_check(&mm), 0);
	kvfs_mm_close(&mm);
	end_child(pid);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(test_kernel_thread)
{
	struct kvfs_process_id id;
	struct kvfs_mm mm;

	/* kthreadd; in a container there is none, or another process has its number. */
	if (access("/proc/2/exe", F_OK) == 0 || kvfs_process_identify(2, &id) < 0)
		return;
	ck_assert_int_eq(kvfs_mm_open(&id, &mm), -ENOENT);
}
END_TEST

UNIT_MAIN("procmm", test_exit, test_exec, test_exec_of_one, test_kernel_thread)
