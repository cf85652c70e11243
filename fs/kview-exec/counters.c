// SPDX-License-Identifier: GPL-2.0-only
#include "kview-exec/counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct kvfs_counters kvfs_counters;

/* Children that never read /proc/kcore, such as pagers, have nothing to report. */
__attribute__((destructor)) static void report(void)
{
	const char *start = getenv(KVFS_EXEC_ENV_STATS);
	struct timespec now;
	double seconds;

	if (!start || kvfs_counters.mapped + kvfs_counters.walked + kvfs_counters.kernel == 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - strtod(start, NULL) / 1e9;
	dprintf(STDERR_FILENO,
		"kview-exec: %" PRIu64 " reads from the mapping, %" PRIu64 " by page tables, %" PRIu64
		" by the kernel; %.3f s\n",
		kvfs_counters.mapped, kvfs_counters.walked, kvfs_counters.kernel, seconds);
}
