// SPDX-License-Identifier: GPL-2.0-only
#include "base/group.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* A signal is sent again after this time. */
#define POKE_MS 10

struct kvfs_group {
	struct kvfs_pool *pool;
	unsigned int max_calls;
	struct kvfs_task poker;
	pthread_mutex_t lock;		/* all below, and the list in the calls */
	pthread_cond_t ended;		/* nr_running went down */
	struct kvfs_list calls;
	unsigned int nr_calls;		/* in the list */
	unsigned int nr_running;	/* tasks of the pool, the poker included */
	bool stopping;
	bool poking;			/* the poker runs */
};

int kvfs_group_create(struct kvfs_pool *pool, unsigned int max_calls, struct kvfs_group **out)
{
	struct kvfs_group *group = calloc(1, sizeof(*group));

	if (!group)
		return -ENOMEM;
	group->pool = pool;
	group->max_calls = max_calls;
	kvfs_list_init(&group->calls);
	pthread_mutex_init(&group->lock, NULL);
	pthread_cond_init(&group->ended, NULL);
	*out = group;
	return 0;
}

/* The last access of a task to the group, which may be freed afterwards. */
static void end_task(struct kvfs_group *group)
{
	pthread_mutex_lock(&group->lock);
	group->nr_running--;
	pthread_cond_broadcast(&group->ended);
	pthread_mutex_unlock(&group->lock);
}

static void set_poke(int how)
{
	sigset_t poke;

	sigemptyset(&poke);
	sigaddset(&poke, SIGUSR1);
	pthread_sigmask(how, &poke, NULL);
}

static void run_call(struct kvfs_task *task)
{
	struct kvfs_call *call = kvfs_list_entry(task, struct kvfs_call, task);
	struct kvfs_group *group = call->group;

	pthread_mutex_lock(&group->lock);
	call->thread = pthread_self();
	call->has_thread = true;
	pthread_mutex_unlock(&group->lock);
	set_poke(SIG_UNBLOCK);
	call->run(call);
	set_poke(SIG_BLOCK);
	end_task(group);
}

int kvfs_group_start(struct kvfs_group *group, struct kvfs_call *call)
{
	int ret = -EAGAIN;

	call->group = group;
	call->task.run = run_call;
	call->has_thread = false;
	atomic_init(&call->interrupted, false);
	pthread_mutex_lock(&group->lock);
	if (!group->stopping && (!group->max_calls || group->nr_calls < group->max_calls)) {
		/* Linked first: the call may have ended when the pool returns. */
		kvfs_list_add(&group->calls, &call->link);
		group->nr_calls++;
		group->nr_running++;
		ret = kvfs_pool_start(group->pool, &call->task);
		if (ret < 0) {
			kvfs_list_remove(&call->link);
			group->nr_calls--;
			group->nr_running--;
		}
	}
	pthread_mutex_unlock(&group->lock);
	return ret;
}

void kvfs_group_end(struct kvfs_call *call)
{
	struct kvfs_group *group = call->group;

	pthread_mutex_lock(&group->lock);
	kvfs_list_remove(&call->link);
	group->nr_calls--;
	pthread_mutex_unlock(&group->lock);
}

/* With the lock held: signals every interrupted call. Returns how many there are. */
static unsigned int poke_all(struct kvfs_group *group)
{
	unsigned int nr = 0;

	kvfs_list_for_each(link, &group->calls) {
		struct kvfs_call *call = kvfs_list_entry(link, struct kvfs_call, link);

		if (!atomic_load(&call->interrupted))
			continue;
		nr++;
		if (call->has_thread)
			pthread_kill(call->thread, SIGUSR1);
	}
	return nr;
}

/* Sends signals for as long as an interrupted call has to end. */
static void poke(struct kvfs_task *task)
{
	struct kvfs_group *group = kvfs_list_entry(task, struct kvfs_group, poker);
	const struct timespec pause = { .tv_nsec = POKE_MS * 1000000L };

	pthread_mutex_lock(&group->lock);
	while (poke_all(group) > 0) {
		pthread_mutex_unlock(&group->lock);
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&group->lock);
	}
	group->poking = false;
	pthread_mutex_unlock(&group->lock);
	end_task(group);
}

/* With the lock held. Without a poker there is one signal, which is nearly always enough. */
static void start_poking(struct kvfs_group *group)
{
	if (group->poking)
		return;
	group->poker.run = poke;
	group->poking = kvfs_pool_start(group->pool, &group->poker) == 0;
	group->nr_running += group->poking;
}

void kvfs_group_interrupt(struct kvfs_call *call)
{
	struct kvfs_group *group = call->group;

	pthread_mutex_lock(&group->lock);
	if (!atomic_exchange(&call->interrupted, true)) {
		if (call->has_thread)
			pthread_kill(call->thread, SIGUSR1);
		start_poking(group);
	}
	pthread_mutex_unlock(&group->lock);
}

bool kvfs_group_interrupted(const struct kvfs_call *call)
{
	return atomic_load(&call->interrupted);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

bool kvfs_group_stop(struct kvfs_group *group, int timeout_ms)
{
	int64_t start = now_ms();
	bool ended;

	pthread_mutex_lock(&group->lock);
	group->stopping = true;
	kvfs_list_for_each(link, &group->calls)
		atomic_store(&kvfs_list_entry(link, struct kvfs_call, link)->interrupted, true);
	while (group->nr_running > 0 && (timeout_ms < 0 || now_ms() - start < timeout_ms)) {
		int64_t next = now_ms() + POKE_MS;
		const struct timespec until = { .tv_sec = next / 1000, .tv_nsec = next % 1000 * 1000000 };

		poke_all(group);
		pthread_cond_clockwait(&group->ended, &group->lock, CLOCK_MONOTONIC, &until);
	}
	ended = group->nr_running == 0;
	pthread_mutex_unlock(&group->lock);
	return ended;
}

void kvfs_group_destroy(struct kvfs_group *group)
{
	if (!group)
		return;
	kvfs_group_stop(group, -1);
	pthread_cond_destroy(&group->ended);
	pthread_mutex_destroy(&group->lock);
	free(group);
}
