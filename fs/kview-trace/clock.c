// SPDX-License-Identifier: GPL-2.0-only
#include "kview-trace/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "trace/find.h"

#define TRACE_CLOCK_MAX 4096

bool clock_is_ns(const char *clock)
{
	/* Of trace_clocks[] in kernel/trace/trace.c (6.12), those that are not in nanoseconds. */
	static const char *const others[] = { "counter", "x86-tsc", "ppc-tb", "uptime" };

	for (size_t i = 0; clock && i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(clock, others[i]) == 0)
			return false;
	}
	return true;
}

bool clock_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

int clock_parse(const char *text, char **out)
{
	const char *start = strchr(text, '['), *end = start ? strchr(start, ']') : NULL;

	if (!end || end == start + 1)
		return -EBADMSG;
	*out = strndup(start + 1, end - start - 1);
	return *out ? 0 : -ENOMEM;
}

/* Cuts the last n names off a path. Returns false if it has no more than that. */
static bool cut(char *path, unsigned int n)
{
	while (n-- > 0) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path)
			return false;
		*slash = '\0';
	}
	return true;
}

/* The folder of the instance that a ring belongs to: INSTANCE/per_cpu/cpuN/trace_pipe_raw. */
static bool find_by_ring(const char *path, char *dir)
{
	char source[PATH_MAX];
	ssize_t len = getxattr(path, "user.kview.source", source, sizeof(source) - 1);
	const char *name;

	if (len > 0) {
		source[len] = '\0';
		if (snprintf(dir, PATH_MAX, "%s", source) >= PATH_MAX)
			return false;
	} else if (!realpath(path, dir)) {
		return false;
	}
	name = strrchr(dir, '/');
	return name && strcmp(name, "/trace_pipe_raw") == 0 && cut(dir, 3);
}

/* This machine's folder of the instance that a path leads through, or of the top level. */
static bool find_by_name(const char *path, char *dir)
{
	char top[PATH_MAX];
	const char *name = strstr(path, "instances/"), *end;

	if (kvfs_trace_find(false, top, sizeof(top), NULL) < 0)
		return false;
	name = name ? name + strlen("instances/") : NULL;
	end = name ? strchr(name, '/') : NULL;
	if (end && snprintf(dir, PATH_MAX, "%s/instances/%.*s", top, (int)(end - name), name) < PATH_MAX &&
	    access(dir, F_OK) == 0)
		return true;
	return snprintf(dir, PATH_MAX, "%s", top) < PATH_MAX;
}

int clock_load(const char *path, char **out, struct kvfs_err *err)
{
	_cleanup_free_ char *text = NULL;
	char dir[PATH_MAX], file[PATH_MAX + 16];
	size_t len;
	int ret;

	*out = NULL;
	if (!find_by_ring(path, dir) && !find_by_name(path, dir))
		return 0;
	snprintf(file, sizeof(file), "%s/trace_clock", dir);
	ret = kvfs_io_read_file(file, TRACE_CLOCK_MAX, &text, &len);
	if (ret == -ENOENT)
		return 0;
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "cannot read %s", file);
	ret = clock_parse(text, out);
	if (ret == -EBADMSG)
		return kvfs_err_set(err, EBADMSG, "%s names no clock", file);
	return ret < 0 ? kvfs_err_sys(err, -ret, "%s", file) : 0;
}
