/* SPDX-License-Identifier: GPL-2.0-only */
/* A child process that only sleeps, for tests of what is seen of another process. */
#ifndef CHILD_H
#define CHILD_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "unit.h"

/* Starts a copy of this process, which ends with this one at the latest. */
static inline pid_t child_start(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

/* Kills a child and waits until it has gone. */
static inline void child_end(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* Kills a child without waiting for it: it is a zombie, which still has its number. */
static inline void child_make_zombie(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
}

#endif /* CHILD_H */
