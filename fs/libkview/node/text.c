// SPDX-License-Identifier: GPL-2.0-only
#include "node/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct text {
	char *buf;
	size_t len;
};

struct textfile {
	struct kvfs_node node;
	struct text text;		/* of a constant file */
	kvfs_text_fn fn;		/* of a rendered file */
	void *arg;
};

static struct textfile *to_file(struct kvfs_node *node)
{
	return (struct textfile *)node;
}

static ssize_t read_text(const struct text *text, void *buf, size_t len, uint64_t off)
{
	if (off >= text->len)
		return 0;
	if (len > text->len - off)
		len = text->len - off;
	memcpy(buf, text->buf + off, len);
	return (ssize_t)len;
}

static void destroy(struct kvfs_node *node)
{
	free(to_file(node)->text.buf);
	free(to_file(node));
}

/* Constant files. */

static int constant_getattr(struct kvfs_node *node, struct kvfs_attr *out)
{
	out->size = out->data_len = to_file(node)->text.len;
	return 0;
}

static ssize_t constant_read(struct kvfs_node *node, void *handle, void *buf, size_t len, uint64_t off)
{
	return read_text(&to_file(node)->text, buf, len, off);
}

static const struct kvfs_file_ops constant_file_ops = {
	.read = constant_read,
	.no_backing = "a text that the daemon wrote",
	.unchanging = true,
};

static const struct kvfs_node_ops constant_ops = {
	.kind = KVFS_NODE_FILE,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = destroy,
	.getattr = constant_getattr,
	.file = &constant_file_ops,
};

/* Rendered files. The handle is a struct text. */

static int render(const struct textfile *file, struct text *text)
{
	FILE *out = open_memstream(&text->buf, &text->len);

	if (!out)
		return -ENOMEM;
	file->fn(file->arg, out);
	if (fclose(out) != 0) {
		free(text->buf);
		return -ENOMEM;
	}
	return 0;
}

static int rendered_open(struct kvfs_node *node, void **handle)
{
	struct text *text = calloc(1, sizeof(*text));
	int ret;

	if (!text)
		return -ENOMEM;
	ret = render(to_file(node), text);
	if (ret < 0) {
		free(text);
		return ret;
	}
	*handle = text;
	return 0;
}

static void rendered_release(struct kvfs_node *node, void *handle)
{
	struct text *text = handle;

	free(text->buf);
	free(text);
}

static ssize_t rendered_read(struct kvfs_node *node, void *handle, void *buf, size_t len, uint64_t off)
{
	return read_text(handle, buf, len, off);
}

/* By the text and not by the size, which is 0. */
static int rendered_seek(struct kvfs_node *node, void *handle, uint64_t off, int whence, uint64_t *out)
{
	const struct text *text = handle;

	if (off >= text->len)
		return -ENXIO;
	*out = whence == SEEK_DATA ? off : text->len;
	return 0;
}

static const struct kvfs_file_ops rendered_file_ops = {
	.open = rendered_open,
	.release = rendered_release,
	.read = rendered_read,
	.seek = rendered_seek,
	.no_backing = "a text that the daemon writes",
};

static const struct kvfs_node_ops rendered_ops = {
	.kind = KVFS_NODE_FILE,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = destroy,
	.file = &rendered_file_ops,
};

static struct textfile *create(const struct kvfs_node_ops *ops, const char *label, uint64_t ino,
			       uint64_t parent_ino)
{
	struct textfile *file = calloc(1, sizeof(*file));

	if (file)
		kvfs_node_init(&file->node, ops, label, ino, parent_ino);
	return file;
}

struct kvfs_node *kvfs_text_create(const char *label, uint64_t ino, uint64_t parent_ino, char *text,
				   size_t len)
{
	struct textfile *file = create(&constant_ops, label, ino, parent_ino);

	if (!file) {
		free(text);
		return NULL;
	}
	file->text = (struct text){ .buf = text, .len = len };
	return &file->node;
}

struct kvfs_node *kvfs_text_create_rendered(const char *label, uint64_t ino, uint64_t parent_ino,
					    kvfs_text_fn fn, void *arg)
{
	struct textfile *file = create(&rendered_ops, label, ino, parent_ino);

	if (!file)
		return NULL;
	file->fn = fn;
	file->arg = arg;
	return &file->node;
}
