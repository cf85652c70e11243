// SPDX-License-Identifier: GPL-2.0-only
#include "pid/mm.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "unit.h"

/*
 * A child that stops, and executes a program that waits when it goes on. *exec_fd reaches its end
 * when the child has executed the program, or has ended.
 */
static pid_t start_child(int *exec_fd)
{
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	*exec_fd = fds[0];
	if (pid > 0)
		close(fds[1]);
	if (pid == 0) {
		raise(SIGSTOP);
		execlp("sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	return pid;
}

/* Waits until the other end of a pipe is closed, and closes this one. */
static void wait_for_end(int fd)
{
	char c;

	ck_assert_int_eq(read(fd, &c, 1), 0);
	close(fd);
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(test_exit)
{
	int exec_fd;
	pid_t pid = start_child(&exec_fd);
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
	/* A zombie still has its number, but no memory. */
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

/* The process executes a program: what was open belongs to the address space that has gone. */
START_TEST(test_exec)
{
	int exec_fd;
	pid_t pid = start_child(&exec_fd);
	struct kvfs_process_id id;
	struct kvfs_mm mm, again;

	ck_assert_int_eq(kvfs_process_identify(pid, &id), 0);
	ck_assert_int_eq(kvfs_mm_open(&id, &mm), 0);
	kill(pid, SIGCONT);
	wait_for_end(exec_fd);
	ck_assert_int_eq(kvfs_mm_check(&mm), -ESRCH);
	ck_assert_int_eq(kvfs_mm_open(&id, &again), 0);
	ck_assert_int_eq(kvfs_mm_check(&again), 0);
	kvfs_mm_close(&again);
	kvfs_mm_close(&mm);
	end_child(pid);
}
END_TEST

/* Executes a program when there is a byte in the pipe. */
static int exec_later(void *from)
{
	static char *const argv[] = { "sleep", "1000", NULL };
	char c;

	if (read(*(int *)from, &c, 1) == 1)
		execv("/bin/sleep", argv);
	_exit(1);
}

/* A process executes a program while another one, this test, goes on with the old address space. */
START_TEST(test_exec_of_one)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct kvfs_process_id id;
	struct kvfs_mm mm;
	int fds[2], exec_fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(exec_fds, O_CLOEXEC), 0);
	pid = clone(exec_later, stack + sizeof(stack), CLONE_VM | SIGCHLD, fds);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(kvfs_process_identify(pid, &id), 0);
	ck_assert_int_eq(kvfs_mm_open(&id, &mm), 0);
	ck_assert_int_eq(kvfs_mm_remember(&mm), 0);
	ck_assert_int_eq(kvfs_mm_check_own(&mm), 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	close(exec_fds[1]);
	wait_for_end(exec_fds[0]);
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

UNIT_MAIN("mm", test_exit, test_exec, test_exec_of_one, test_kernel_thread)
