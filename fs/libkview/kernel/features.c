// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/features.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "extent/uring.h"
#include "kernel/lockdown.h"

#define UNKNOWN "unknown"

void kvfs_features_load(struct kvfs_features *out)
{
	struct utsname uts;

	memset(out, 0, sizeof(*out));
	if (uname(&uts)) {
		snprintf(uts.release, sizeof(uts.release), UNKNOWN);
		snprintf(uts.machine, sizeof(uts.machine), UNKNOWN);
	}
	snprintf(out->kernel_release, sizeof(out->kernel_release), "%s", uts.release);
	snprintf(out->machine, sizeof(out->machine), "%s", uts.machine);
	kvfs_lockdown_load(out->lockdown, sizeof(out->lockdown));
	out->page_size = (size_t)sysconf(_SC_PAGESIZE);
	out->io_uring = kvfs_uring_available(&out->io_uring_reason);
}
