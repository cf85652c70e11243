// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/source.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kvfs_vmcore_source {
	_Atomic(unsigned int) refs;
	struct kvfs_dump *dump;
	const struct kvfs_kmod *kmod;
	const char *kmod_reason;
	char name[128];
};

/* A long name loses its start: the end tells dumps apart. */
static void set_name(struct kvfs_vmcore_source *src, const struct kvfs_dump_config *config)
{
	const char *file = config->files[0];
	size_t max = sizeof(src->name) - 64, len = strlen(file);
	char others[32] = "";

	if (config->nr_files > 1)
		snprintf(others, sizeof(others), " and %zu more", config->nr_files - 1);
	snprintf(src->name, sizeof(src->name), "%s%s%s (%s)", len > max ? "..." : "",
		 len > max ? file + len - max : file, others, src->dump->format);
}

int kvfs_vmcore_source_create(const struct kvfs_dump_config *config, const struct kvfs_kmod *kmod,
			      const char *kmod_reason, struct kvfs_vmcore_source **out, struct kvfs_err *err)
{
	struct kvfs_vmcore_source *src = calloc(1, sizeof(*src));
	int ret;

	if (!src)
		return kvfs_err_sys(err, ENOMEM, "vmcore");
	ret = kvfs_dump_open(config, &src->dump, err);
	if (ret < 0) {
		free(src);
		return ret;
	}
	atomic_init(&src->refs, 1);
	src->kmod = kmod;
	src->kmod_reason = kmod_reason;
	set_name(src, config);
	*out = src;
	return 0;
}

struct kvfs_vmcore_source *kvfs_vmcore_source_get(struct kvfs_vmcore_source *src)
{
	atomic_fetch_add_explicit(&src->refs, 1, memory_order_relaxed);
	return src;
}

void kvfs_vmcore_source_put(struct kvfs_vmcore_source *src)
{
	unsigned int before;

	if (!src)
		return;
	before = atomic_fetch_sub_explicit(&src->refs, 1, memory_order_acq_rel);
	assert(before > 0);
	if (before > 1)
		return;
	kvfs_dump_close(src->dump);
	free(src);
}

struct kvfs_dump *kvfs_vmcore_source_dump(const struct kvfs_vmcore_source *src)
{
	return src->dump;
}

const char *kvfs_vmcore_source_name(const struct kvfs_vmcore_source *src)
{
	return src->name;
}

int kvfs_vmcore_source_check_window(const struct kvfs_vmcore_source *src, const struct kvfs_extents *t,
				    struct kvfs_err *err)
{
	if (src->kmod->fd < 0)
		return kvfs_err_set(err, ENODEV, "%s", src->kmod_reason);
	return kvfs_kmod_check_window(src->kmod, t, err);
}

int kvfs_vmcore_source_create_window(const struct kvfs_vmcore_source *src, const char *name,
				     const struct kvfs_extents *t, struct kvfs_err *err)
{
	return kvfs_kmod_create_window(src->kmod, name, t, src->dump->fd, err);
}
