// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/lanes.h"

#include <linux/fuse.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "node/node.h"

#define NR_PROVIDERS (KVFS_PROVIDER_VMCORE + 1)
#define NR_LANES (2 * NR_PROVIDERS)

struct lane {
	unsigned int max;
	pthread_mutex_t lock;			/* all below */
	unsigned int nr_active;
	uint64_t keys[KVFS_LANES_MAX_ALONE];		/* of the active requests */
	struct kvfs_list parked;		/* the oldest first */
};

struct kvfs_lanes {
	struct lane v[NR_LANES];
};

struct kvfs_lanes *kvfs_lanes_create(void)
{
	struct kvfs_lanes *lanes = calloc(1, sizeof(*lanes));

	for (int i = 0; lanes && i < NR_LANES; i++) {
		struct lane *lane = &lanes->v[i];

		lane->max = i % 2 ? KVFS_LANES_MAX_DATA : KVFS_LANES_MAX_OTHER;
		kvfs_list_init(&lane->parked);
		pthread_mutex_init(&lane->lock, NULL);
	}
	return lanes;
}

void kvfs_lanes_destroy(struct kvfs_lanes *lanes)
{
	if (!lanes)
		return;
	for (int i = 0; i < NR_LANES; i++) {
		struct lane *lane = &lanes->v[i];

		kvfs_list_for_each_safe(link, &lane->parked)
			free(kvfs_list_entry(link, struct kvfs_lanes_parked, link));
		pthread_mutex_destroy(&lane->lock);
	}
	free(lanes);
}

static bool is_for_data(uint32_t opcode)
{
	switch (opcode) {
	case FUSE_READ:
	case FUSE_LSEEK:
	case FUSE_IOCTL:
		return true;
	default:
		return false;
	}
}

static bool is_never_parked(uint32_t opcode)
{
	switch (opcode) {
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
	case FUSE_INIT:
	case FUSE_DESTROY:
		return true;
	default:
		return false;
	}
}

bool kvfs_lanes_bypass(const void *request, size_t len)
{
	struct fuse_in_header in;

	if (len < sizeof(in))
		return true;	/* libfuse refuses it */
	memcpy(&in, request, sizeof(in));
	return is_never_parked(in.opcode);
}

static struct kvfs_lanes_ticket ticket_of(const void *request, size_t len)
{
	struct kvfs_lanes_ticket ticket = { .lane = -1 };
	struct fuse_in_header in;
	uint64_t provider;

	if (kvfs_lanes_bypass(request, len))
		return ticket;
	memcpy(&in, request, sizeof(in));
	provider = KVFS_INO_PROVIDER(in.nodeid);
	if (provider >= NR_PROVIDERS)
		provider = KVFS_PROVIDER_INFO;
	ticket.key = provider == KVFS_PROVIDER_PID ? in.nodeid >> KVFS_INO_PID_FILE_BITS : in.nodeid;
	ticket.lane = (int)(2 * provider + is_for_data(in.opcode));
	return ticket;
}

/* All below: the lane's lock is held, unless it says otherwise. */

static bool has_room(const struct lane *lane, uint64_t key)
{
	unsigned int of_file = 0;

	for (unsigned int i = 0; i < lane->nr_active; i++)
		of_file += lane->keys[i] == key;
	if (of_file == 0)
		return lane->nr_active < KVFS_LANES_MAX_ALONE;
	return of_file < KVFS_LANES_MAX_FILE && lane->nr_active < lane->max;
}

static void add(struct lane *lane, uint64_t key)
{
	lane->keys[lane->nr_active++] = key;
}

static void drop(struct lane *lane, uint64_t key)
{
	unsigned int i = 0;

	while (lane->keys[i] != key)
		i++;
	lane->keys[i] = lane->keys[--lane->nr_active];
}

/* Returns false if out of memory. */
static bool park(struct lane *lane, const void *request, size_t len, const struct kvfs_lanes_ticket *ticket)
{
	struct kvfs_lanes_parked *parked = malloc(sizeof(*parked) + len);

	if (!parked)
		return false;
	parked->ticket = *ticket;
	parked->len = len;
	memcpy(parked->request, request, len);
	kvfs_list_add_tail(&lane->parked, &parked->link);
	return true;
}

/* Takes the oldest parked request that the limits allow, or returns NULL. */
static struct kvfs_lanes_parked *unpark(struct lane *lane)
{
	kvfs_list_for_each(link, &lane->parked) {
		struct kvfs_lanes_parked *parked = kvfs_list_entry(link, struct kvfs_lanes_parked, link);

		if (!has_room(lane, parked->ticket.key))
			continue;
		kvfs_list_remove(link);
		return parked;
	}
	return NULL;
}

bool kvfs_lanes_begin(struct kvfs_lanes *lanes, const void *request, size_t len,
		      struct kvfs_lanes_ticket *ticket)
{
	bool admitted = true;
	struct lane *lane;

	*ticket = ticket_of(request, len);
	if (ticket->lane < 0)
		return true;
	lane = &lanes->v[ticket->lane];
	pthread_mutex_lock(&lane->lock);
	if (has_room(lane, ticket->key))
		add(lane, ticket->key);
	else if (park(lane, request, len, ticket))
		admitted = false;
	else
		ticket->lane = -1;	/* takes no place */
	pthread_mutex_unlock(&lane->lock);
	return admitted;
}

struct kvfs_lanes_parked *kvfs_lanes_end(struct kvfs_lanes *lanes, const struct kvfs_lanes_ticket *ticket)
{
	struct kvfs_lanes_parked *next;
	struct lane *lane;

	if (ticket->lane < 0)
		return NULL;
	lane = &lanes->v[ticket->lane];
	pthread_mutex_lock(&lane->lock);
	drop(lane, ticket->key);
	next = unpark(lane);
	if (next)
		add(lane, next->ticket.key);
	pthread_mutex_unlock(&lane->lock);
	return next;
}

/* The parked request with this number, out of the list, or NULL. */
static struct kvfs_lanes_parked *take_parked(struct lane *lane, uint64_t unique)
{
	kvfs_list_for_each(link, &lane->parked) {
		struct kvfs_lanes_parked *parked = kvfs_list_entry(link, struct kvfs_lanes_parked, link);
		struct fuse_in_header in;

		memcpy(&in, parked->request, sizeof(in));
		if (in.unique != unique)
			continue;
		kvfs_list_remove(link);
		return parked;
	}
	return NULL;
}

uint64_t kvfs_lanes_interrupt(struct kvfs_lanes *lanes, const void *request, size_t len)
{
	struct {
		struct fuse_in_header in;
		struct fuse_interrupt_in arg;
	} interrupt;

	if (len < sizeof(interrupt))
		return 0;
	memcpy(&interrupt, request, sizeof(interrupt));
	if (interrupt.in.opcode != FUSE_INTERRUPT)
		return 0;
	for (int i = 0; i < NR_LANES; i++) {
		struct lane *lane = &lanes->v[i];
		struct kvfs_lanes_parked *parked;

		pthread_mutex_lock(&lane->lock);
		parked = take_parked(lane, interrupt.arg.unique);
		pthread_mutex_unlock(&lane->lock);
		if (!parked)
			continue;
		free(parked);
		return interrupt.arg.unique;
	}
	return 0;
}
