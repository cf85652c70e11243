// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/features.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "extent/uring.h"

#define LOCKDOWN_PATH "/sys/kernel/security/lockdown"
#define LOCKDOWN_MAX 4096	/* bytes: sysfs never gives more */
#define UNKNOWN "unknown"

void kvfs_features_parse_lockdown(const char *text, size_t len, char *out, size_t out_len)
{
	const char *open = memchr(text, '[', len), *end = text + len, *p;

	for (p = open ? open + 1 : end; p < end && *p >= 'a' && *p <= 'z'; p++)
		;
	if (p < end && *p == ']' && p > open + 1 && (size_t)(p - open) <= out_len)
		snprintf(out, out_len, "%.*s", (int)(p - open - 1), open + 1);
	else
		snprintf(out, out_len, UNKNOWN);
}

static void load_lockdown(char *out, size_t out_len)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	/* Absent where the LSM is not built in or securityfs is not mounted. */
	if (kvfs_io_read_file(LOCKDOWN_PATH, LOCKDOWN_MAX, &text, &len))
		snprintf(out, out_len, UNKNOWN);
	else
		kvfs_features_parse_lockdown(text, len, out, out_len);
}

bool kvfs_features_confidential(void)
{
	char lockdown[32];

	load_lockdown(lockdown, sizeof(lockdown));
	return strcmp(lockdown, "confidentiality") == 0;
}

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
	load_lockdown(out->lockdown, sizeof(out->lockdown));
	out->page_size = (size_t)sysconf(_SC_PAGESIZE);
	out->io_uring = kvfs_uring_available(&out->io_uring_reason);
}
