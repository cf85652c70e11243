// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/poll.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/list.h"

/* epoll names an entry by a number, not by its descriptor, which another file may have by then. */
struct entry {
	struct kvfs_list link;
	uint64_t id;
	int fd;
	void *what;		/* NULL: nothing is armed */
};

#define ID_STOP 0

struct kvfs_poll {
	struct kvfs_pool *pool;
	void (*wake)(void *what);
	int epoll_fd;
	int stop_fd;
	struct kvfs_task task;
	sem_t stopped;		/* the task has ended */
	pthread_mutex_t lock;	/* all below */
	bool running;
	uint64_t last_id;
	struct kvfs_list entries;
};

int kvfs_poll_create(struct kvfs_pool *pool, void (*wake)(void *what), struct kvfs_poll **out)
{
	struct kvfs_poll *set = calloc(1, sizeof(*set));
	struct epoll_event stop = { .events = EPOLLIN, .data.u64 = ID_STOP };
	int ret;

	if (!set)
		return -ENOMEM;
	set->pool = pool;
	set->wake = wake;
	kvfs_list_init(&set->entries);
	sem_init(&set->stopped, 0, 0);
	pthread_mutex_init(&set->lock, NULL);
	set->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	set->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (set->epoll_fd < 0 || set->stop_fd < 0 ||
	    epoll_ctl(set->epoll_fd, EPOLL_CTL_ADD, set->stop_fd, &stop) < 0) {
		ret = -errno;
		kvfs_poll_destroy(set);
		return ret;
	}
	*out = set;
	return 0;
}

void kvfs_poll_destroy(struct kvfs_poll *set)
{
	if (!set)
		return;
	if (set->running) {
		eventfd_write(set->stop_fd, 1);
		while (sem_wait(&set->stopped) != 0)
			;
	}
	kvfs_list_for_each_safe(link, &set->entries) {
		struct entry *e = kvfs_list_entry(link, struct entry, link);

		if (e->what)
			set->wake(e->what);
		free(e);
	}
	if (set->stop_fd >= 0)
		close(set->stop_fd);
	if (set->epoll_fd >= 0)
		close(set->epoll_fd);
	pthread_mutex_destroy(&set->lock);
	sem_destroy(&set->stopped);
	free(set);
}

/* Takes what is armed for an entry, if the entry still exists. */
static void *take(struct kvfs_poll *set, uint64_t id)
{
	void *what = NULL;

	pthread_mutex_lock(&set->lock);
	kvfs_list_for_each(link, &set->entries) {
		struct entry *e = kvfs_list_entry(link, struct entry, link);

		if (e->id != id)
			continue;
		what = e->what;
		e->what = NULL;
		break;
	}
	pthread_mutex_unlock(&set->lock);
	return what;
}

static void watch(struct kvfs_task *task)
{
	struct kvfs_poll *set = kvfs_list_entry(task, struct kvfs_poll, task);
	struct epoll_event event = { .data.u64 = ID_STOP + 1 };

	for (;;) {
		void *what;

		if (epoll_wait(set->epoll_fd, &event, 1, -1) <= 0)
			continue;
		if (event.data.u64 == ID_STOP)
			break;
		what = take(set, event.data.u64);
		if (what)
			set->wake(what);
	}
	sem_post(&set->stopped);
}

/* With the lock held. */
static int start(struct kvfs_poll *set)
{
	int ret;

	if (set->running)
		return 0;
	set->task.run = watch;
	ret = kvfs_pool_start(set->pool, &set->task);
	set->running = ret == 0;
	return ret;
}

/* With the lock held. */
static struct entry *find(struct kvfs_poll *set, int fd)
{
	kvfs_list_for_each(link, &set->entries) {
		struct entry *e = kvfs_list_entry(link, struct entry, link);

		if (e->fd == fd)
			return e;
	}
	return NULL;
}

/* With the lock held: makes the entry, or has it watched again. */
static int arm(struct kvfs_poll *set, int fd, void *what, void **before)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };
	struct entry *e = find(set, fd);
	bool found = e;

	if (!found) {
		e = calloc(1, sizeof(*e));
		if (!e)
			return -ENOMEM;
		e->id = ++set->last_id;
		e->fd = fd;
	}
	event.data.u64 = e->id;
	if (epoll_ctl(set->epoll_fd, found ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) < 0) {
		int ret = -errno;

		if (!found)
			free(e);
		return ret;
	}
	if (!found)
		kvfs_list_add(&set->entries, &e->link);
	*before = e->what;
	e->what = what;
	return 0;
}

int kvfs_poll_arm(struct kvfs_poll *set, int fd, void *what, void **before)
{
	int ret;

	*before = NULL;
	/* The task takes the lock before it looks for the entry, so it finds it. */
	pthread_mutex_lock(&set->lock);
	ret = start(set);
	if (ret == 0)
		ret = arm(set, fd, what, before);
	pthread_mutex_unlock(&set->lock);
	return ret;
}

void *kvfs_poll_disarm(struct kvfs_poll *set, int fd)
{
	void *what = NULL;
	struct entry *e;

	pthread_mutex_lock(&set->lock);
	e = find(set, fd);
	if (e) {
		kvfs_list_remove(&e->link);
		what = e->what;
		epoll_ctl(set->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		free(e);
	}
	pthread_mutex_unlock(&set->lock);
	return what;
}
