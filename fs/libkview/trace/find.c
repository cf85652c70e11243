// SPDX-License-Identifier: GPL-2.0-only
#include "trace/find.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <tracefs/tracefs.h>

/* libtracefs keeps the path in a variable of its own, without a lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* With lock held. *path is libtracefs's own. */
static int ask(bool mount, const char **path, struct kvfs_err *err)
{
	*path = NULL;
	errno = 0;
	if (tracefs_tracing_dir_is_mounted(false, path) > 0 && *path)
		return 0;
	if (!mount)
		return kvfs_err_set(err, ENOENT, "tracefs is not mounted (kviewfs -o mount_tracefs mounts it)");
	errno = 0;
	if (tracefs_tracing_dir_is_mounted(true, path) >= 0 && *path)
		return 0;
	return kvfs_err_sys(err, errno ? errno : ENODEV, "cannot mount tracefs");
}

int kvfs_trace_find(bool mount, char *out, size_t len, struct kvfs_err *err)
{
	const char *path;
	int ret;

	pthread_mutex_lock(&lock);
	ret = ask(mount, &path, err);
	if (ret == 0 && snprintf(out, len, "%s", path) >= (int)len)
		ret = kvfs_err_set(err, ENAMETOOLONG, "the path of tracefs is too long");
	pthread_mutex_unlock(&lock);
	return ret;
}
