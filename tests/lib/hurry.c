// SPDX-License-Identifier: GPL-2.0-only
/*
 * A library to preload: each call of clock_gettime(CLOCK_MONOTONIC) is a second later than the
 * one before.
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
