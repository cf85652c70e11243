// SPDX-License-Identifier: GPL-2.0-only
#include "extent/fdpool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

struct kvfs_fdpool {
	int pin;		/* the first descriptor: open until destroy, for /proc/self/fd */
	pthread_mutex_t lock;	/* protects the members below; never held across a call that blocks */
	bool pin_idle;
	unsigned int nr_idle;
	unsigned int max_idle;	/* elements of idle[], which the pin is not in */
	int idle[];
};

/*
 * O_NONBLOCK, so that opening a FIFO in the place of the file does not block. It is cleared again
 * because io_uring fails with EAGAIN on files without asynchronous reads, such as /proc/kcore.
 */
static int open_regular(const char *path, struct kvfs_err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return kvfs_err_sys(err, errno, "cannot open %s", path);
	if (fstat(fd, &st))
		return kvfs_err_sys(err, errno, "cannot stat %s", path);
	if (!S_ISREG(st.st_mode))
		return kvfs_err_set(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
				    "%s is not a regular file", path);
	if (fcntl(fd, F_SETFL, 0))
		return kvfs_err_sys(err, errno, "cannot set the flags of %s", path);
	return kvfs_steal_fd(&fd);
}

int kvfs_fdpool_create(const char *path, unsigned int keep, struct kvfs_fdpool **out,
		       struct kvfs_err *err)
{
	_cleanup_close_ int fd = open_regular(path, err);
	unsigned int max_idle = keep ? keep - 1 : 0;
	struct kvfs_fdpool *pool;

	if (fd < 0)
		return fd;
	pool = malloc(sizeof(*pool) + max_idle * sizeof(pool->idle[0]));
	if (!pool)
		return kvfs_err_sys(err, ENOMEM, "cannot keep descriptors of %s", path);
	pool->pin = kvfs_steal_fd(&fd);
	pool->pin_idle = true;
	pool->nr_idle = 0;
	pool->max_idle = max_idle;
	pthread_mutex_init(&pool->lock, NULL);
	*out = pool;
	return 0;
}

void kvfs_fdpool_destroy(struct kvfs_fdpool *pool)
{
	if (!pool)
		return;
	for (unsigned int i = 0; i < pool->nr_idle; i++)
		close(pool->idle[i]);
	close(pool->pin);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* Opens the file once more, for a bounce buffer of its own in /proc/kcore; dup(2) would share one. */
static int open_again(const struct kvfs_fdpool *pool)
{
	char path[sizeof("/proc/self/fd/") + 10];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", pool->pin);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int kvfs_fdpool_check(const struct kvfs_fdpool *pool)
{
	int fd = open_again(pool);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int kvfs_fdpool_get(struct kvfs_fdpool *pool)
{
	int fd = -1;

	pthread_mutex_lock(&pool->lock);
	if (pool->nr_idle) {
		fd = pool->idle[--pool->nr_idle];
	} else if (pool->pin_idle) {
		pool->pin_idle = false;
		fd = pool->pin;
	}
	pthread_mutex_unlock(&pool->lock);
	return fd >= 0 ? fd : open_again(pool);
}

void kvfs_fdpool_put(struct kvfs_fdpool *pool, int fd)
{
	bool kept = true;

	pthread_mutex_lock(&pool->lock);
	if (fd == pool->pin)
		pool->pin_idle = true;
	else if (pool->nr_idle < pool->max_idle)
		pool->idle[pool->nr_idle++] = fd;
	else
		kept = false;
	pthread_mutex_unlock(&pool->lock);
	if (!kept)
		close(fd);
}
