// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump/dump.h"

enum which {
	CORE,
	RAM,
	SEG,
};

struct vmcore_file {
	struct kvfs_node node;
	struct kvfs_vmcore_source *src;		/* a reference */
	enum which which;
	size_t seg;				/* SEG: its number */
	const struct kvfs_extents *table;
	struct kvfs_extents own_table;		/* SEG: table points to it */
	uint64_t data_len;
};

static struct vmcore_file *to_file(struct kvfs_node *node)
{
	return (struct vmcore_file *)node;
}

static struct kvfs_dump *dump_of(const struct vmcore_file *file)
{
	return kvfs_vmcore_source_dump(file->src);
}

static int file_getattr(struct kvfs_node *node, struct kvfs_attr *out)
{
	struct vmcore_file *file = to_file(node);

	out->size = file->table->size;
	out->data_len = file->data_len;
	return 0;
}

static ssize_t file_read(struct kvfs_node *node, void *handle, void *buf, size_t len, uint64_t off)
{
	struct vmcore_file *file = to_file(node);

	return kvfs_dump_read(dump_of(file), file->table, buf, len, off);
}

static int file_seek(struct kvfs_node *node, void *handle, uint64_t off, int whence, uint64_t *out)
{
	struct vmcore_file *file = to_file(node);

	return kvfs_dump_seek(dump_of(file), file->table, off, whence, out);
}

static int file_can_back(struct kvfs_node *node, enum kvfs_mode *mode, struct kvfs_err *err)
{
	struct vmcore_file *file = to_file(node);
	struct kvfs_dump *dump = dump_of(file);

	if (dump->fd < 0)
		return kvfs_err_set(err, EOPNOTSUPP, "the dump is compressed");
	*mode = KVFS_MODE_DIRECT;
	/* The dump itself can be the backing file, but FUSE takes none of /proc. */
	if (file->which == CORE && !dump->is_proc)
		return 0;
	return kvfs_vmcore_source_check_window(file->src, file->table, err);
}

static int file_backing(struct kvfs_node *node, struct kvfs_err *err)
{
	static const char *const names[] = { [CORE] = "vmcore-core", [RAM] = "vmcore-ram", [SEG] = "vmcore-seg" };
	struct vmcore_file *file = to_file(node);
	const struct kvfs_dump *dump = dump_of(file);
	int fd;

	if (file->which != CORE || dump->is_proc)
		return kvfs_vmcore_source_create_window(file->src, names[file->which], file->table, err);
	fd = fcntl(dump->fd, F_DUPFD_CLOEXEC, 0);
	return fd >= 0 ? fd : kvfs_err_sys(err, errno, "a second descriptor of the dump");
}

static void file_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	struct vmcore_file *file = to_file(node);
	const struct kvfs_dump *dump = dump_of(file);

	if (file->which == RAM) {
		out->has_paddr = true;
	} else if (file->which == SEG) {
		const struct kvfs_segment *seg = &dump->segs[file->seg];

		out->has_paddr = seg->paddr != KVFS_NO_PADDR;
		out->paddr = seg->paddr;
		/* QEMU does not know the virtual addresses of a guest, and writes 0. */
		out->has_vaddr = seg->vaddr != 0;
		out->vaddr = seg->vaddr;
	}
	snprintf(out->source, sizeof(out->source), "%s", kvfs_vmcore_source_name(file->src));
}

static void file_destroy(struct kvfs_node *node)
{
	struct vmcore_file *file = to_file(node);

	kvfs_extents_deinit(&file->own_table);
	kvfs_vmcore_source_put(file->src);
	free(file);
}

static const struct kvfs_file_ops unchanging_ops = {
	.read = file_read,
	.seek = file_seek,
	.can_back = file_can_back,
	.backing = file_backing,
	.unchanging = true,
};

/* Memory that may change; and /proc/vmcore, since the crash kernel has no memory for a second copy. */
static const struct kvfs_file_ops changing_ops = {
	.read = file_read,
	.seek = file_seek,
	.can_back = file_can_back,
	.backing = file_backing,
};

static const struct kvfs_node_ops unchanging_node_ops = {
	.kind = KVFS_NODE_FILE,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = file_destroy,
	.getattr = file_getattr,
	.describe = file_describe,
	.file = &unchanging_ops,
};

static const struct kvfs_node_ops changing_node_ops = {
	.kind = KVFS_NODE_FILE,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = file_destroy,
	.getattr = file_getattr,
	.describe = file_describe,
	.file = &changing_ops,
};

static struct vmcore_file *create(struct kvfs_vmcore_source *src, enum which which,
				  const struct kvfs_extents *table, const char *label, uint64_t ino,
				  uint64_t parent_ino)
{
	struct kvfs_dump *dump = kvfs_vmcore_source_dump(src);
	struct vmcore_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	kvfs_node_init(&file->node, dump->unchanging ? &unchanging_node_ops : &changing_node_ops, label, ino, parent_ino);
	file->src = kvfs_vmcore_source_get(src);
	file->which = which;
	file->table = table;
	if (table)
		file->data_len = dump->ops->data_len(dump, table);
	return file;
}

struct kvfs_node *kvfs_vmcore_file_create_core(struct kvfs_vmcore_source *src, uint64_t ino,
					       uint64_t parent_ino)
{
	struct vmcore_file *file = create(src, CORE, &kvfs_vmcore_source_dump(src)->core, "vmcore/core",
					  ino, parent_ino);

	return file ? &file->node : NULL;
}

struct kvfs_node *kvfs_vmcore_file_create_ram(struct kvfs_vmcore_source *src, uint64_t ino,
					      uint64_t parent_ino)
{
	struct vmcore_file *file = create(src, RAM, &kvfs_vmcore_source_dump(src)->ram, "vmcore/ram", ino,
					  parent_ino);

	return file ? &file->node : NULL;
}

int kvfs_vmcore_file_create_seg(struct kvfs_vmcore_source *src, size_t nr, uint64_t ino,
				uint64_t parent_ino, struct kvfs_node **out)
{
	struct kvfs_dump *dump = kvfs_vmcore_source_dump(src);
	struct vmcore_file *file = create(src, SEG, NULL, "vmcore/seg", ino, parent_ino);
	int ret;

	if (!file)
		return -ENOMEM;
	file->seg = nr;
	file->table = &file->own_table;
	ret = kvfs_dump_seg_table(dump, nr, &file->own_table);
	if (ret < 0) {
		kvfs_node_put(&file->node);
		return ret;
	}
	file->data_len = dump->ops->data_len(dump, file->table);
	*out = &file->node;
	return 0;
}
