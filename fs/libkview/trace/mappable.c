// SPDX-License-Identifier: GPL-2.0-only
#include "trace/mappable.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/number.h"
#include "trace/tracefs.h"

enum known {
	UNKNOWN,
	YES,
	NO,
};

/* The first two numbers of a release; 0 for what is none. */
static unsigned int version(const char *release)
{
	const char *p = release, *end = release + strlen(release);
	uint64_t major, minor;

	if (kvfs_number_take_until(&p, end, 10, '.', 65535, &major) < 0 ||
	    kvfs_number_take(&p, end, 10, 65535, &minor) < 0)
		return 0;
	return (unsigned int)(major << 16 | minor);
}

void kvfs_trace_mappable_init(struct kvfs_trace_mappable *m, const char *release)
{
	struct utsname name;

	if (!release) {
		uname(&name);
		release = name.release;
	}
	m->expected = version(release) >= (6U << 16 | 10);
	atomic_init(&m->known, UNKNOWN);
}

/* A ring at a fixed place in memory has a file about that, since Linux 6.11. */
static bool is_fixed(const char *dir)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/buffer_meta", dir) < (int)sizeof(path) &&
	       access(path, F_OK) == 0;
}

void kvfs_trace_mappable_learn(struct kvfs_trace_mappable *m, const char *dir, int error)
{
	/* The kernel checks for snapshots and for the ring itself only where it can map one. */
	if (error == 0 || error == -EBUSY || error == -EINVAL)
		atomic_store(&m->known, YES);
	else if (error == -ENODEV && !is_fixed(dir))
		atomic_store(&m->known, NO);
}

int kvfs_trace_mappable_expect(const struct kvfs_trace_mappable *m, const char *dir,
			       struct kvfs_err *err)
{
	int known = atomic_load(&m->known);

	if (is_fixed(dir))
		return kvfs_err_set(err, ENODEV, "the trace ring is at a fixed place in memory and cannot be mapped");
	if (known == NO)
		return kvfs_tracefs_map_error(ENODEV, err);
	if (known == UNKNOWN && !m->expected)
		return kvfs_err_set(err, ENODEV, "this kernel is not expected to map trace rings (Linux 6.10 or later can); the first open shows it");
	return 0;
}
