// SPDX-License-Identifier: GPL-2.0-only
/*
 * To be preloaded: time flies. Whenever the monotonic clock is asked, it is a second later.
 */
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	static atomic_long seconds;
	int ret = (int)syscall(SYS_clock_gettime, clock, ts);

	if (ret == 0 && clock == CLOCK_MONOTONIC)
		ts->tv_sec += atomic_fetch_add(&seconds, 1);
	return ret;
}
