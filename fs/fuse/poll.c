// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/poll.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What epoll returns names an entry by a number: the descriptor may be another one's now. */
struct entry {
	struct entry *next;
	uint64_t id;
	int fd;
	void *what;		/* NULL: nothing is armed */
};

#define ID_STOP 0

struct kvfs_poll {
	void (*wake)(void *what);
	int epoll_fd;
	int stop_fd;
	pthread_t thread;
	pthread_mutex_t lock;	/* all below */
	bool running;
	uint64_t last_id;
	struct entry *entries;
};

int kvfs_poll_create(void (*wake)(void *what), struct kvfs_poll **out)
{
	struct kvfs_poll *set = calloc(1, sizeof(*set));
	struct epoll_event stop = { .events = EPOLLIN, .data.u64 = ID_STOP };
	int ret;

	if (!set)
		return -ENOMEM;
	set->wake = wake;
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
		pthread_join(set->thread, NULL);
	}
	while (set->entries) {
		struct entry *e = set->entries;

		set->entries = e->next;
		if (e->what)
			set->wake(e->what);
		free(e);
	}
	if (set->stop_fd >= 0)
		close(set->stop_fd);
	if (set->epoll_fd >= 0)
		close(set->epoll_fd);
	pthread_mutex_destroy(&set->lock);
	free(set);
}

/* Takes what is armed for an entry, if it is still there. */
static void *take(struct kvfs_poll *set, uint64_t id)
{
	void *what = NULL;

	pthread_mutex_lock(&set->lock);
	for (struct entry *e = set->entries; e; e = e->next) {
		if (e->id != id)
			continue;
		what = e->what;
		e->what = NULL;
		break;
	}
	pthread_mutex_unlock(&set->lock);
	return what;
}

static void *watch(void *arg)
{
	struct kvfs_poll *set = arg;
	struct epoll_event event;

	for (;;) {
		void *what;

		if (epoll_wait(set->epoll_fd, &event, 1, -1) <= 0)
			continue;
		if (event.data.u64 == ID_STOP)
			return NULL;
		what = take(set, event.data.u64);
		if (what)
			set->wake(what);
	}
}

/* With the lock held. */
static int start(struct kvfs_poll *set)
{
	int ret;

	if (set->running)
		return 0;
	ret = pthread_create(&set->thread, NULL, watch, set);
	set->running = ret == 0;
	return -ret;
}

static struct entry **find(struct kvfs_poll *set, int fd)
{
	struct entry **e = &set->entries;

	while (*e && (*e)->fd != fd)
		e = &(*e)->next;
	return e;
}

/* With the lock held: makes the entry, or has it watched again. */
static int arm(struct kvfs_poll *set, int fd, void *what, void **before)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };
	struct entry *e = *find(set, fd);
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
	if (!found) {
		e->next = set->entries;
		set->entries = e;
	}
	*before = e->what;
	e->what = what;
	return 0;
}

int kvfs_poll_arm(struct kvfs_poll *set, int fd, void *what, void **before)
{
	int ret;

	*before = NULL;
	/* The thread takes the lock before it looks, so it does not come too early. */
	pthread_mutex_lock(&set->lock);
	ret = start(set);
	if (ret == 0)
		ret = arm(set, fd, what, before);
	pthread_mutex_unlock(&set->lock);
	return ret;
}

void *kvfs_poll_disarm(struct kvfs_poll *set, int fd)
{
	struct entry **at, *e;
	void *what = NULL;

	pthread_mutex_lock(&set->lock);
	at = find(set, fd);
	e = *at;
	if (e) {
		*at = e->next;
		what = e->what;
		epoll_ctl(set->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		free(e);
	}
	pthread_mutex_unlock(&set->lock);
	return what;
}
