// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "kcore/layout.h"

struct kcore_file {
	struct kvfs_node node;
	struct kvfs_kcore_source *src;	/* a reference */
	int which;			/* enum kvfs_kcore_source_file, or SYM */
	uint64_t vaddr, len;		/* SYM */

	pthread_mutex_t lock;		/* opens, and pinning and unpinning */
	unsigned int opens;
	/* Pinned from the first open to the last release, and not changed in between. */
	struct kvfs_kcore_source_layout *layout;
	struct kvfs_extents sym_table;
	int view_fd;			/* the module's view, where nothing else can be read; or -1 */
};

#define SYM KVFS_KCORE_SOURCE_NR_FILES

static struct kcore_file *to_file(struct kvfs_node *node)
{
	return (struct kcore_file *)node;
}

static const struct kvfs_extents *table_of(const struct kcore_file *file)
{
	return file->which == SYM ? &file->sym_table : &file->layout->tables[file->which];
}

static const struct {
	const char *label;
	const char *view;	/* name of the module's file in /proc/PID/fd */
} names[] = {
	[KVFS_KCORE_SOURCE_RAM] = { "kcore/ram", "kcore-ram" },
	[KVFS_KCORE_SOURCE_TEXT] = { "kcore/text", "kcore-text" },
	[KVFS_KCORE_SOURCE_CORE] = { "kcore/core", "kcore-core" },
	[SYM] = { "kcore/sym/*", "kcore-sym" },
};

static void unpin(struct kcore_file *file)
{
	if (file->view_fd >= 0)
		close(file->view_fd);
	file->view_fd = -1;
	kvfs_extents_deinit(&file->sym_table);
	kvfs_kcore_source_layout_put(file->layout);
	file->layout = NULL;
}

static int pin(struct kcore_file *file)
{
	int ret;

	if (file->which == SYM) {
		/* The image does not move: the last layout will do. */
		file->layout = kvfs_kcore_source_layout_get(file->src);
		ret = kvfs_kcore_layout_sym(&file->layout->map, file->vaddr, file->len,
					    &file->sym_table, NULL);
	} else {
		ret = kvfs_kcore_source_layout_load(file->src, &file->layout, NULL);
		if (ret == 0)
			ret = -file->layout->errs[file->which].errnum;
	}
	if (ret == 0 && !kvfs_kcore_source_has_file(file->src)) {
		ret = kvfs_kcore_source_create_view(file->src, names[file->which].view, table_of(file), NULL);
		if (ret >= 0) {
			file->view_fd = ret;
			ret = 0;
		}
	}
	if (ret < 0)
		unpin(file);
	return ret;
}

static int file_open(struct kvfs_node *node, void **handle)
{
	struct kcore_file *file = to_file(node);
	int ret = kvfs_kcore_source_check_open(file->src);

	if (ret < 0)
		return ret;

	/* Held while the headers of /proc/kcore are read: other opens need that layout too. */
	pthread_mutex_lock(&file->lock);
	if (file->opens == 0)
		ret = pin(file);
	if (ret == 0)
		file->opens++;
	pthread_mutex_unlock(&file->lock);
	return ret;
}

static void file_release(struct kvfs_node *node, void *handle)
{
	struct kcore_file *file = to_file(node);

	pthread_mutex_lock(&file->lock);
	if (--file->opens == 0)
		unpin(file);
	pthread_mutex_unlock(&file->lock);
}

static int file_getattr(struct kvfs_node *node, struct kvfs_attr *out)
{
	struct kcore_file *file = to_file(node);
	struct kvfs_kcore_source_layout *layout = NULL;
	int ret = 0;

	if (file->which == SYM) {
		out->size = out->data_len = file->len;
		return 0;
	}
	pthread_mutex_lock(&file->lock);
	if (file->opens > 0) {
		out->size = table_of(file)->size;
		out->data_len = kvfs_extents_data_len(table_of(file));
		pthread_mutex_unlock(&file->lock);
		return 0;
	}
	pthread_mutex_unlock(&file->lock);

	ret = kvfs_kcore_source_layout_look(file->src, &layout);
	if (ret < 0)
		return ret;
	ret = -layout->errs[file->which].errnum;
	if (ret == 0) {
		out->size = layout->tables[file->which].size;
		out->data_len = kvfs_extents_data_len(&layout->tables[file->which]);
	}
	kvfs_kcore_source_layout_put(layout);
	return ret;
}

static ssize_t file_read(struct kvfs_node *node, void *handle, void *buf, size_t len, uint64_t off)
{
	struct kcore_file *file = to_file(node);

	if (file->view_fd >= 0)
		return kvfs_io_pread(file->view_fd, buf, len, off);
	return kvfs_kcore_source_read(file->src, table_of(file), buf, len, off);
}

static int file_seek(struct kvfs_node *node, void *handle, uint64_t off, int whence, uint64_t *out)
{
	return kvfs_extents_seek(table_of(to_file(node)), off, whence, out);
}

static int file_can_back(struct kvfs_node *node, enum kvfs_mode *mode, struct kvfs_err *err)
{
	*mode = KVFS_MODE_DIRECT;
	return kvfs_kcore_source_check_module(to_file(node)->src, err);
}

static int file_backing(struct kvfs_node *node, struct kvfs_err *err)
{
	struct kcore_file *file = to_file(node);
	int fd;

	if (file->view_fd < 0)
		return kvfs_kcore_source_create_view(file->src, names[file->which].view, table_of(file), err);
	fd = fcntl(file->view_fd, F_DUPFD_CLOEXEC, 0);
	return fd >= 0 ? fd : kvfs_err_sys(err, errno, "a second descriptor of the view");
}

static void file_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	struct kcore_file *file = to_file(node);
	struct kvfs_kcore_source_layout *layout = kvfs_kcore_source_layout_get(file->src);
	const struct kvfs_memmap *map = &layout->map;

	switch (file->which) {
	case KVFS_KCORE_SOURCE_RAM:
		out->has_paddr = true;
		/* The direct map is one shift for all of RAM. */
		out->has_vaddr = map->nr_ram > 0;
		if (out->has_vaddr)
			out->vaddr = map->ram[0].vaddr - map->ram[0].paddr;
		break;
	case KVFS_KCORE_SOURCE_TEXT:
		out->has_vaddr = out->has_paddr = true;
		out->vaddr = map->image.vaddr;
		out->paddr = map->image.paddr;
		break;
	case SYM:
		out->has_vaddr = out->has_paddr = true;
		out->vaddr = file->vaddr;
		out->paddr = map->image.paddr + (file->vaddr - map->image.vaddr);
		break;
	}
	kvfs_kcore_source_layout_put(layout);
	snprintf(out->source, sizeof(out->source), "%s",
		 mode == KVFS_MODE_DIRECT ? "kview module" : kvfs_kcore_source_name(file->src));
}

static void file_destroy(struct kvfs_node *node)
{
	struct kcore_file *file = to_file(node);

	/* Files that are open when the tree is unmounted are never released. */
	unpin(file);
	pthread_mutex_destroy(&file->lock);
	kvfs_kcore_source_put(file->src);
	free(file);
}

static const struct kvfs_file_ops file_ops = {
	.open = file_open,
	.release = file_release,
	.read = file_read,
	.seek = file_seek,
	.can_back = file_can_back,
	.backing = file_backing,
};

/* The names stay as long as the mount; sizes change when memory comes or goes. */
static const struct kvfs_node_ops layout_node_ops = {
	.kind = KVFS_NODE_FILE,
	.entry_timeout = 3600,
	.attr_timeout = 1,
	.destroy = file_destroy,
	.getattr = file_getattr,
	.describe = file_describe,
	.file = &file_ops,
};

/*
 * A name that times out at once leaves the kernel's caches with its last user, so that a walk
 * over all symbols does not keep a node for each of them in kernel and daemon.
 */
static const struct kvfs_node_ops sym_node_ops = {
	.kind = KVFS_NODE_FILE,
	.entry_timeout = 0,
	.attr_timeout = 3600,
	.destroy = file_destroy,
	.getattr = file_getattr,
	.describe = file_describe,
	.file = &file_ops,
};

static struct kcore_file *create(struct kvfs_kcore_source *src, const struct kvfs_node_ops *ops,
				 int which, uint64_t ino, uint64_t parent_ino)
{
	struct kcore_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	kvfs_node_init(&file->node, ops, names[which].label, ino, parent_ino);
	pthread_mutex_init(&file->lock, NULL);
	file->src = kvfs_kcore_source_get(src);
	file->which = which;
	file->view_fd = -1;
	return file;
}

struct kvfs_node *kvfs_kcore_file_create(struct kvfs_kcore_source *src, enum kvfs_kcore_source_file which,
					 uint64_t ino, uint64_t parent_ino)
{
	struct kcore_file *file = create(src, &layout_node_ops, which, ino, parent_ino);

	return file ? &file->node : NULL;
}

struct kvfs_node *kvfs_kcore_file_create_sym(struct kvfs_kcore_source *src, uint64_t vaddr,
					     uint64_t len, uint64_t ino, uint64_t parent_ino)
{
	struct kcore_file *file = create(src, &sym_node_ops, SYM, ino, parent_ino);

	if (!file)
		return NULL;
	file->vaddr = vaddr;
	file->len = len;
	return &file->node;
}
