// SPDX-License-Identifier: GPL-2.0-only
#include "trace/files.h"

#include <stdlib.h>

#include "base/hash.h"

struct kvfs_trace_files *kvfs_trace_files_create(const char *online, const char *release)
{
	struct kvfs_trace_files *files = calloc(1, sizeof(*files));

	if (!files)
		return NULL;
	atomic_init(&files->refs, 1);
	files->online = online ? online : "/sys/devices/system/cpu/online";
	kvfs_trace_mappable_init(&files->mappable, release);
	pthread_mutex_init(&files->lock, NULL);
	for (size_t i = 0; i < KVFS_TRACE_FILES_BUCKETS; i++)
		kvfs_list_init(&files->buckets[i]);
	return files;
}

struct kvfs_trace_files *kvfs_trace_files_get(struct kvfs_trace_files *files)
{
	atomic_fetch_add_explicit(&files->refs, 1, memory_order_relaxed);
	return files;
}

void kvfs_trace_files_put(struct kvfs_trace_files *files)
{
	if (!files || atomic_fetch_sub_explicit(&files->refs, 1, memory_order_acq_rel) > 1)
		return;
	pthread_mutex_destroy(&files->lock);
	free(files);
}

/* With the lock held: the entry of ino, with a reference to its node. */
static struct kvfs_trace_entry *find(struct kvfs_list *bucket, uint64_t ino,
				     bool (*get)(struct kvfs_trace_entry *entry))
{
	kvfs_list_for_each(link, bucket) {
		struct kvfs_trace_entry *entry = kvfs_list_entry(link, struct kvfs_trace_entry, link);

		if (entry->ino == ino && get(entry))
			return entry;
	}
	return NULL;
}

struct kvfs_trace_entry *kvfs_trace_files_lookup(struct kvfs_trace_files *files, uint64_t ino,
						 bool (*get)(struct kvfs_trace_entry *entry),
						 struct kvfs_trace_entry *(*make)(void *arg),
						 void *arg)
{
	struct kvfs_list *bucket = &files->buckets[kvfs_hash_u64(ino) % KVFS_TRACE_FILES_BUCKETS];
	struct kvfs_trace_entry *entry;

	pthread_mutex_lock(&files->lock);
	entry = find(bucket, ino, get);
	if (!entry) {
		entry = make(arg);
		if (entry) {
			entry->ino = ino;
			kvfs_list_add(bucket, &entry->link);
		}
	}
	pthread_mutex_unlock(&files->lock);
	return entry;
}

void kvfs_trace_files_remove(struct kvfs_trace_files *files, struct kvfs_trace_entry *entry)
{
	pthread_mutex_lock(&files->lock);
	kvfs_list_remove(&entry->link);
	pthread_mutex_unlock(&files->lock);
}
