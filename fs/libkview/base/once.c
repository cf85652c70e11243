// SPDX-License-Identifier: GPL-2.0-only
#include "base/once.h"

#include <stdatomic.h>

int kvfs_once(struct kvfs_once *once, int (*probe)(void))
{
	int answer = atomic_load(&once->answer);

	if (answer >= 0)
		return answer;
	pthread_mutex_lock(&once->lock);
	answer = atomic_load(&once->answer);
	if (answer < 0) {
		answer = probe();
		if (answer >= 0)
			atomic_store(&once->answer, answer);
	}
	pthread_mutex_unlock(&once->lock);
	return answer;
}
