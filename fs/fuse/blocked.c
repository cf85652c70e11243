// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/blocked.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* More callers than this are not waiting, they are lost. */
#define MAX_CALLS 256
/* A signal is sent again after this time. */
#define POKE_MS 10
/* The calls go into the kernel and not much deeper. */
#define STACK_LEN (256 * 1024)

struct kvfs_defer {
	pthread_mutex_t lock;		/* all below, and the lists in the calls */
	pthread_cond_t changed;		/* a call or the poker has ended */
	struct kvfs_deferred *first;
	unsigned int nr_calls;
	unsigned int nr_threads;	/* that have not come to their last line */
	bool stopping;
	bool poking;			/* the poker runs */
};

int kvfs_defer_create(struct kvfs_defer **out)
{
	struct kvfs_defer *defer = calloc(1, sizeof(*defer));

	if (!defer)
		return -ENOMEM;
	pthread_mutex_init(&defer->lock, NULL);
	pthread_cond_init(&defer->changed, NULL);
	*out = defer;
	return 0;
}

/* Says goodbye for a thread; defer may be gone afterwards. */
static void end_thread(struct kvfs_defer *defer)
{
	pthread_mutex_lock(&defer->lock);
	defer->nr_threads--;
	pthread_cond_broadcast(&defer->changed);
	pthread_mutex_unlock(&defer->lock);
}

static int start_thread(struct kvfs_defer *defer, void *(*fn)(void *), void *arg, pthread_t *out)
{
	size_t stack_len = STACK_LEN < PTHREAD_STACK_MIN ? PTHREAD_STACK_MIN : STACK_LEN;
	pthread_attr_t attr;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, stack_len);
	ret = pthread_create(out, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	if (ret == 0)
		defer->nr_threads++;
	return -ret;
}

static void *run(void *arg)
{
	struct kvfs_deferred *call = arg;
	struct kvfs_defer *defer = call->defer;
	sigset_t poke;

	/* kvfs_defer_start() holds the lock until call->thread is known. */
	pthread_mutex_lock(&defer->lock);
	pthread_mutex_unlock(&defer->lock);
	sigemptyset(&poke);
	sigaddset(&poke, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &poke, NULL);
	call->run(call);
	end_thread(defer);
	return NULL;
}

static void link_call(struct kvfs_defer *defer, struct kvfs_deferred *call)
{
	call->prev = NULL;
	call->next = defer->first;
	if (defer->first)
		defer->first->prev = call;
	defer->first = call;
	defer->nr_calls++;
}

int kvfs_defer_start(struct kvfs_defer *defer, struct kvfs_deferred *call)
{
	int ret = -EAGAIN;

	call->defer = defer;
	atomic_init(&call->interrupted, false);
	pthread_mutex_lock(&defer->lock);
	if (!defer->stopping && defer->nr_calls < MAX_CALLS) {
		ret = start_thread(defer, run, call, &call->thread);
		if (ret == 0)
			link_call(defer, call);
	}
	pthread_mutex_unlock(&defer->lock);
	return ret;
}

void kvfs_deferred_end(struct kvfs_deferred *call)
{
	struct kvfs_defer *defer = call->defer;

	pthread_mutex_lock(&defer->lock);
	if (call->prev)
		call->prev->next = call->next;
	else
		defer->first = call->next;
	if (call->next)
		call->next->prev = call->prev;
	defer->nr_calls--;
	pthread_mutex_unlock(&defer->lock);
}

/* Sends signals for as long as a call has to end. */
static void *poke(void *arg)
{
	struct kvfs_defer *defer = arg;

	for (;;) {
		const struct timespec pause = { .tv_nsec = POKE_MS * 1000000L };
		unsigned int nr = 0;

		pthread_mutex_lock(&defer->lock);
		for (struct kvfs_deferred *call = defer->first; call; call = call->next) {
			if (!atomic_load(&call->interrupted))
				continue;
			pthread_kill(call->thread, SIGUSR1);
			nr++;
		}
		if (nr == 0)
			defer->poking = false;
		pthread_mutex_unlock(&defer->lock);
		if (nr == 0)
			break;
		nanosleep(&pause, NULL);
	}
	end_thread(defer);
	return NULL;
}

/* With the lock held. Without a poker there is one signal, which is nearly always enough. */
static void start_poking(struct kvfs_defer *defer)
{
	pthread_t thread;

	if (!defer->poking)
		defer->poking = start_thread(defer, poke, defer, &thread) == 0;
}

void kvfs_deferred_interrupt(struct kvfs_deferred *call)
{
	struct kvfs_defer *defer = call->defer;

	pthread_mutex_lock(&defer->lock);
	if (!atomic_exchange(&call->interrupted, true)) {
		pthread_kill(call->thread, SIGUSR1);
		start_poking(defer);
	}
	pthread_mutex_unlock(&defer->lock);
}

bool kvfs_deferred_interrupted(const struct kvfs_deferred *call)
{
	return atomic_load(&call->interrupted);
}

void kvfs_defer_stop(struct kvfs_defer *defer)
{
	pthread_mutex_lock(&defer->lock);
	defer->stopping = true;
	for (struct kvfs_deferred *call = defer->first; call; call = call->next) {
		atomic_store(&call->interrupted, true);
		pthread_kill(call->thread, SIGUSR1);
	}
	if (defer->first)
		start_poking(defer);
	while (defer->nr_threads > 0)
		pthread_cond_wait(&defer->changed, &defer->lock);
	pthread_mutex_unlock(&defer->lock);
}

void kvfs_defer_destroy(struct kvfs_defer *defer)
{
	if (!defer)
		return;
	kvfs_defer_stop(defer);
	pthread_cond_destroy(&defer->changed);
	pthread_mutex_destroy(&defer->lock);
	free(defer);
}
