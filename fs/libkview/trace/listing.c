// SPDX-License-Identifier: GPL-2.0-only
#include "trace/listing.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/number.h"
#include "base/vector.h"
#include "trace/tracefs.h"

static int stat_ino(const char *path, bool want_dir, uint64_t *ino)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (want_dir && !S_ISDIR(st.st_mode))
		return -ENOENT;
	*ino = st.st_ino;
	return 0;
}

int kvfs_trace_listing_ring_ino(const char *dir, uint64_t *ino)
{
	char path[PATH_MAX];
	int ret = kvfs_tracefs_path(dir, path, sizeof(path));

	return ret < 0 ? ret : stat_ino(path, false, ino);
}

int kvfs_trace_listing_dir_ino(const char *dir, uint64_t *ino)
{
	return stat_ino(dir, true, ino);
}

void kvfs_trace_listing_free(struct kvfs_trace_listing *listing)
{
	for (size_t i = 0; i < listing->n; i++)
		free(listing->v[i].name);
	free(listing->v);
	memset(listing, 0, sizeof(*listing));
}

static int compare(const void *va, const void *vb)
{
	const struct kvfs_trace_listed *a = va, *b = vb;

	return a->key < b->key ? -1 : a->key > b->key;
}

/* Takes an entry of a folder. Returns 0, -ENOENT to leave it out, or -errno. */
typedef int (*take_fn)(const char *folder, const char *name, struct kvfs_trace_listed *out);

static int take_cpu(const char *folder, const char *name, struct kvfs_trace_listed *out)
{
	char path[PATH_MAX];

	if (kvfs_number_parse_name(name, "cpu", INT_MAX, &out->key) < 0)
		return -ENOENT;
	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return kvfs_trace_listing_ring_ino(path, &out->ino);
}

static int take_instance(const char *folder, const char *name, struct kvfs_trace_listed *out)
{
	char path[PATH_MAX];
	int ret;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -ENOENT;
	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	ret = kvfs_trace_listing_dir_ino(path, &out->ino);
	out->key = out->ino;
	return ret;
}

static int add(struct kvfs_trace_listing *listing, const char *folder, const char *name, take_fn take)
{
	struct kvfs_trace_listed listed = { 0 };
	int ret = take(folder, name, &listed);

	/* -ENOENT: another kind of entry, or an instance that has gone since. */
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	ret = kvfs_vector_reserve(listing->v, listing->cap, listing->n + 1);
	if (ret < 0)
		return ret;
	listed.name = strdup(name);
	if (!listed.name)
		return -ENOMEM;
	listing->v[listing->n++] = listed;
	return 0;
}

static int load(struct kvfs_trace_listing *out, const char *folder, take_fn take)
{
	struct dirent *entry;
	int ret = 0;
	DIR *d;

	kvfs_trace_listing_free(out);
	d = opendir(folder);
	if (!d)
		return -errno;
	while (ret == 0 && (errno = 0, entry = readdir(d)))
		ret = add(out, folder, entry->d_name, take);
	if (ret == 0)
		ret = -errno;
	closedir(d);
	if (ret < 0)
		kvfs_trace_listing_free(out);
	else if (out->n > 0)
		qsort(out->v, out->n, sizeof(*out->v), compare);
	return ret;
}

int kvfs_trace_listing_load_cpus(struct kvfs_trace_listing *out, const char *dir)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/per_cpu", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return load(out, path, take_cpu);
}

int kvfs_trace_listing_load_instances(struct kvfs_trace_listing *out, const char *dir)
{
	return load(out, dir, take_instance);
}

const struct kvfs_trace_listed *kvfs_trace_listing_from(const struct kvfs_trace_listing *listing,
							uint64_t first)
{
	size_t low = 0, high = listing->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (listing->v[mid].key < first)
			low = mid + 1;
		else
			high = mid;
	}
	return low < listing->n ? &listing->v[low] : NULL;
}
