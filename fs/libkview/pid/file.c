// SPDX-License-Identifier: GPL-2.0-only
#include "pid/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "pid/maps.h"
#include "pid/mm.h"
#include "pid/pagemap.h"

struct pid_file {
	struct kvfs_node node;
	const struct kvfs_pid_file_source *source;
	struct kvfs_process_id id;
	enum kvfs_pid_file_kind kind;
};

static const struct {
	const char *name, *label;
	size_t entry_len;		/* bytes for each page of the process */
} kinds[KVFS_PID_FILE_NR_KINDS] = {
	[KVFS_PID_FILE_PAGEMAP] = { "pagemap", "pid/N/pagemap", KVFS_PAGEMAP_ENTRY_LEN },
	[KVFS_PID_FILE_MINCORE] = { "mincore", "pid/N/mincore", 1 },
};

static struct pid_file *to_file(struct kvfs_node *node)
{
	return (struct pid_file *)node;
}

const char *kvfs_pid_file_name(enum kvfs_pid_file_kind kind)
{
	return kinds[kind].name;
}

static int file_open(struct kvfs_node *node, void **handle)
{
	struct kvfs_mm *mm = malloc(sizeof(*mm));
	int ret = mm ? kvfs_mm_open(&to_file(node)->id, mm) : -ENOMEM;

	if (ret == 0) {
		ret = kvfs_mm_remember(mm);
		if (ret < 0)
			kvfs_mm_close(mm);
	}
	if (ret < 0) {
		free(mm);
		return ret;
	}
	*handle = mm;
	return 0;
}

static void file_release(struct kvfs_node *node, void *handle)
{
	kvfs_mm_close(handle);
	free(handle);
}

static ssize_t read_mincore(struct pid_file *file, const struct kvfs_mm *mm, void *buf,
			    size_t len, uint64_t off)
{
	int ret;

	if (off >= mm->nr_pages)
		return 0;
	if (len > mm->nr_pages - off)
		len = (size_t)(mm->nr_pages - off);
	ret = kvfs_mincore_load(file->source->mincore, mm->dir, off, buf, len);
	return ret < 0 ? ret : (ssize_t)len;
}

static ssize_t file_read(struct kvfs_node *node, void *handle, void *buf, size_t len, uint64_t off)
{
	struct pid_file *file = to_file(node);
	const struct kvfs_mm *mm = handle;
	ssize_t n;
	int ret;

	if (file->kind == KVFS_PID_FILE_PAGEMAP)
		n = kvfs_mm_read_pagemap(mm, buf, len, off);
	else
		n = read_mincore(file, mm, buf, len, off);
	/*
	 * If the process has another address space by now, the bytes may belong to that one, and an
	 * error may have come from the change; the check decides in both cases.
	 */
	ret = kvfs_mm_check_own(mm);
	return ret < 0 ? ret : n;
}

static int file_seek(struct kvfs_node *node, void *handle, uint64_t off, int whence, uint64_t *out)
{
	struct pid_file *file = to_file(node);
	const struct kvfs_mm *mm = handle;
	struct kvfs_maps *maps;
	int ret, gone;

	ret = kvfs_maps_open(mm->dir, file->source->parse_maps, &maps);
	if (ret < 0)
		return ret;
	ret = kvfs_maps_seek(maps, mm->nr_pages, kinds[file->kind].entry_len, off, whence, out);
	kvfs_maps_close(maps);
	/* The cheaper check: cp seeks twice a mapping, and its reads check the owner. */
	gone = kvfs_mm_check(mm);
	return gone < 0 ? gone : ret;
}

static int file_getattr(struct kvfs_node *node, struct kvfs_attr *out)
{
	struct pid_file *file = to_file(node);
	size_t entry_len = kinds[file->kind].entry_len;
	struct kvfs_mm mm;
	uint64_t mapped;
	int ret;

	ret = kvfs_mm_open(&file->id, &mm);
	if (ret < 0)
		return ret;
	ret = kvfs_mm_mapped_pages(&mm, &mapped);
	if (ret == 0) {
		out->size = mm.nr_pages * entry_len;
		out->data_len = (mapped < mm.nr_pages ? mapped : mm.nr_pages) * entry_len;
	}
	kvfs_mm_close(&mm);
	return ret == -ESRCH ? -ENOENT : ret;
}

static void file_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	struct pid_file *file = to_file(node);

	if (file->kind == KVFS_PID_FILE_PAGEMAP)
		snprintf(out->source, sizeof(out->source), "/proc/%d/pagemap", file->id.pid);
	else
		snprintf(out->source, sizeof(out->source), "/proc/%d: maps, pagemap, map_files; /proc/kpageflags",
			 file->id.pid);
}

static void file_destroy(struct kvfs_node *node)
{
	struct pid_file *file = to_file(node);

	kvfs_node_put(file->source->owner);
	free(file);
}

static const struct kvfs_file_ops file_ops = {
	.open = file_open,
	.release = file_release,
	.read = file_read,
	.seek = file_seek,
	.no_backing = KVFS_PID_FILE_NO_BACKING,
};

/* No timeouts: the process may exit, and its mappings grow and shrink. */
static const struct kvfs_node_ops node_ops = {
	.kind = KVFS_NODE_FILE,
	.destroy = file_destroy,
	.getattr = file_getattr,
	.describe = file_describe,
	.file = &file_ops,
};

struct kvfs_node *kvfs_pid_file_create(const struct kvfs_pid_file_source *source,
				       const struct kvfs_process_id *id, enum kvfs_pid_file_kind kind,
				       uint64_t ino, uint64_t parent_ino)
{
	struct pid_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	kvfs_node_init(&file->node, &node_ops, kinds[kind].label, ino, parent_ino);
	kvfs_node_get(source->owner);
	file->source = source;
	file->id = *id;
	file->kind = kind;
	return &file->node;
}
