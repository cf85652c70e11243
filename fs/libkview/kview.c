// SPDX-License-Identifier: GPL-2.0-only
/* The public functions, over the tree and its nodes. */
#include "libkview.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/pool.h"
#include "node/attrs.h"
#include "node/node.h"
#include "tree/config.h"
#include "tree/tree.h"

/* Threads of a tree's own. Each user of the pool has a lower limit: this one is against mistakes. */
#define MAX_THREADS 256

/* Symbolic links on the way of one path. */
#define MAX_LINKS 8

/* Bytes that are read at a time: a view may need memory for as much as it is asked for. */
#define READ_MAX (1 << 20)

struct kview {
	struct kvfs_config config;
	struct kvfs_pool *pool;
	struct kvfs_tree *tree;
	pthread_mutex_t backing_lock;	/* calls of kvfs_file_ops.backing */
};

struct kview_dir {
	struct kvfs_node *node;		/* a reference */
	void *reader;			/* the node's, if it has list_on */
	uint64_t cookie;		/* of the next entry */
};

struct kview_file {
	struct kview *kview;
	struct kvfs_node *node;		/* a reference */
	void *handle;			/* the node's */
	enum kvfs_mode mode;
};

_Static_assert(sizeof(((struct kview_error *)0)->msg) == KVFS_ERR_MSG_MAX, "one is copied to the other");
_Static_assert(sizeof(((struct kview_dirent *)0)->name) == sizeof(((struct kvfs_dirent *)0)->name), "the same");

/* Hands an error out. Returns -errno of it. */
static int fail(struct kview_error *error, const struct kvfs_err *err)
{
	if (error) {
		error->errnum = err->errnum;
		memcpy(error->msg, err->msg, sizeof(error->msg));
	}
	return -err->errnum;
}

/* The same for an errno of something done with path. */
static int fail_at(struct kview_error *error, int ret, const char *path)
{
	struct kvfs_err err;

	kvfs_err_sys(&err, -ret, "%s", *path ? path : "/");
	return fail(error, &err);
}

/* Opening and closing. */

static int set_word(void *arg, const char *word, struct kvfs_err *err)
{
	int ret = *word ? kvfs_config_set(arg, word, err) : 1;

	return ret == 0 ? kvfs_err_set(err, EINVAL, "unknown option '%s'", word) : ret < 0 ? ret : 0;
}

/* Source reads that are expected at a time. */
static unsigned int expected_threads(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus < 2 ? 2 : cpus > 8 ? 8 : (unsigned int)cpus;
}

static int check_module(const struct kview *kview, struct kvfs_err *err)
{
	const char *reason;
	const struct kvfs_kmod *kmod = kvfs_tree_kmod(kview->tree, &reason);

	if (kview->config.module != KVFS_MODULE_REQUIRE || kmod->fd >= 0)
		return 0;
	return kvfs_err_set(err, ENODEV, "module=require: %s", reason);
}

static int set_up(struct kview *kview, const char *options, struct kvfs_err *err)
{
	int ret = options ? kvfs_config_each_word(options, set_word, &kview->config, err) : 0;

	if (ret == 0 && kvfs_pool_create(MAX_THREADS, &kview->pool) < 0)
		ret = kvfs_err_sys(err, ENOMEM, "the tree");
	if (ret < 0)
		return ret;
	kview->config.pool = kview->pool;
	kview->config.threads = expected_threads();
	ret = kvfs_tree_create(&kview->config, &kview->tree, err);
	return ret < 0 ? ret : check_module(kview, err);
}

int kview_open(const char *options, struct kview **out, struct kview_error *error)
{
	struct kview *kview = calloc(1, sizeof(*kview));
	struct kvfs_err err = { 0 };

	if (!kview)
		return fail_at(error, -ENOMEM, "the tree");
	pthread_mutex_init(&kview->backing_lock, NULL);
	kvfs_config_init(&kview->config);
	if (set_up(kview, options, &err) < 0) {
		kview_close(kview);
		return fail(error, &err);
	}
	*out = kview;
	return 0;
}

void kview_close(struct kview *kview)
{
	if (!kview)
		return;
	kvfs_tree_destroy(kview->tree);
	kvfs_pool_destroy(kview->pool);
	kvfs_config_deinit(&kview->config);
	pthread_mutex_destroy(&kview->backing_lock);
	free(kview);
}

/* Paths. */

/* Replaces *child, found in dir, with what it points to if it is a link. Links name siblings. */
static int follow(struct kvfs_node *dir, struct kvfs_node **child)
{
	char target[1024];

	for (int i = 0; (*child)->ops->kind == KVFS_NODE_SYMLINK; i++) {
		int ret = i < MAX_LINKS ? (*child)->ops->readlink(*child, gettid(), target, sizeof(target)) : -ELOOP;

		kvfs_node_put(*child);
		if (ret == 0)
			ret = dir->ops->dir->lookup(dir, target, child);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Finds name in dir, and where it leads to if follow_link. *out has a reference. */
static int step(struct kvfs_node *dir, const char *name, bool follow_link, struct kvfs_node **out)
{
	int ret;

	if (dir->ops->kind != KVFS_NODE_DIR)
		return -ENOTDIR;
	ret = dir->ops->dir->lookup(dir, name, out);
	return ret == 0 && follow_link ? follow(dir, out) : ret;
}

/* The node of a path with a reference, or -errno. follow_last: a link at the end is followed. */
static int walk(struct kview *kview, const char *path, bool follow_last, struct kvfs_node **out)
{
	struct kvfs_node *node = kvfs_node_get(kvfs_tree_root(kview->tree));
	char name[sizeof(((struct kvfs_dirent *)0)->name)];

	for (path += strspn(path, "/"); *path;) {
		size_t len = strcspn(path, "/");
		struct kvfs_node *child;
		int ret;

		if (len >= sizeof(name)) {
			kvfs_node_put(node);
			return -ENAMETOOLONG;
		}
		memcpy(name, path, len);
		name[len] = '\0';
		path += len;
		path += strspn(path, "/");
		ret = step(node, name, *path || follow_last, &child);
		kvfs_node_put(node);
		if (ret < 0)
			return ret;
		node = child;
	}
	*out = node;
	return 0;
}

/* What can be said of any node. */

/* How a file can be served, and why it is copied; errnum 0 if it is not. */
static enum kvfs_mode plan(struct kvfs_node *node, struct kvfs_err *reason)
{
	const struct kvfs_file_ops *ops = node->ops->file;
	enum kvfs_mode mode;

	*reason = (struct kvfs_err){ 0 };
	if (node->ops->kind != KVFS_NODE_FILE)
		return KVFS_MODE_COPY;
	if (ops->can_back && ops->can_back(node, &mode, reason) == 0) {
		*reason = (struct kvfs_err){ 0 };
		return mode;
	}
	if (!ops->can_back)
		kvfs_err_set(reason, EOPNOTSUPP, "%s", ops->no_backing);
	return ops->unchanging ? KVFS_MODE_CACHED : KVFS_MODE_COPY;
}

static enum kview_kind kind_of(enum kvfs_node_kind kind)
{
	switch (kind) {
	case KVFS_NODE_DIR:
		return KVIEW_KIND_DIR;
	case KVFS_NODE_SYMLINK:
		return KVIEW_KIND_SYMLINK;
	case KVFS_NODE_FILE:
		break;
	}
	return KVIEW_KIND_FILE;
}

static enum kview_mode mode_of(enum kvfs_mode mode)
{
	switch (mode) {
	case KVFS_MODE_DIRECT:
		return KVIEW_MODE_DIRECT;
	case KVFS_MODE_SPLIT:
		return KVIEW_MODE_SPLIT;
	case KVFS_MODE_CACHED:
		return KVIEW_MODE_CACHED;
	case KVFS_MODE_COPY:
		break;
	}
	return KVIEW_MODE_COPY;
}

static int stat_node(struct kvfs_node *node, enum kvfs_mode mode, struct kview_stat *out)
{
	struct kvfs_attr attr;
	int ret = kvfs_node_getattr(node, &attr);

	if (ret < 0)
		return ret;
	*out = (struct kview_stat) {
		.kind = kind_of(node->ops->kind),
		.mode = mode_of(mode),
		.ino = node->ino,
		.size = attr.size,
		.data_len = attr.data_len,
	};
	return 0;
}

int kview_stat(struct kview *kview, const char *path, struct kview_stat *out, struct kview_error *error)
{
	struct kvfs_err reason;
	struct kvfs_node *node;
	int ret = walk(kview, path, false, &node);

	if (ret == 0) {
		ret = stat_node(node, plan(node, &reason), out);
		kvfs_node_put(node);
	}
	return ret < 0 ? fail_at(error, ret, path) : 0;
}

/* Copies a text out. Returns its length, or -ERANGE. */
static ssize_t copy_out(const char *text, char *buf, size_t len)
{
	size_t need = strlen(text) + 1;

	if (need > len)
		return -ERANGE;
	memcpy(buf, text, need);
	return (ssize_t)need - 1;
}

ssize_t kview_readlink(struct kview *kview, const char *path, char *buf, size_t len)
{
	char target[1024];
	struct kvfs_node *node;
	int ret = walk(kview, path, false, &node);

	if (ret < 0)
		return ret;
	if (node->ops->kind == KVFS_NODE_SYMLINK)
		ret = node->ops->readlink(node, gettid(), target, sizeof(target));
	else
		ret = -EINVAL;
	kvfs_node_put(node);
	return ret < 0 ? ret : copy_out(target, buf, len);
}

ssize_t kview_attr(struct kview *kview, const char *path, const char *name, char *buf, size_t len)
{
	char value[KVFS_ATTRS_MAX];
	struct kvfs_err reason;
	struct kvfs_node *node;
	enum kvfs_mode mode;
	ssize_t ret = walk(kview, path, false, &node);

	if (ret < 0)
		return ret;
	mode = plan(node, &reason);
	ret = kvfs_attrs_get(node, mode, &reason, name, value);
	kvfs_node_put(node);
	return ret < 0 ? ret : copy_out(value, buf, len);
}

const char *kview_attr_name(size_t i)
{
	return kvfs_attrs_name(i);
}

/* Directories. */

static int open_dir(struct kview *kview, const char *path, struct kview_dir *dir)
{
	int ret = walk(kview, path, true, &dir->node);

	if (ret < 0)
		return ret;
	if (dir->node->ops->kind != KVFS_NODE_DIR)
		ret = -ENOTDIR;
	else if (dir->node->ops->dir->open)
		ret = dir->node->ops->dir->open(dir->node, &dir->reader);
	if (ret < 0)
		kvfs_node_put(dir->node);
	return ret;
}

int kview_dir_open(struct kview *kview, const char *path, struct kview_dir **out, struct kview_error *error)
{
	struct kview_dir *dir = calloc(1, sizeof(*dir));
	int ret = dir ? open_dir(kview, path, dir) : -ENOMEM;

	if (ret < 0) {
		free(dir);
		return fail_at(error, ret, path);
	}
	*out = dir;
	return 0;
}

void kview_dir_close(struct kview_dir *dir)
{
	if (!dir)
		return;
	if (dir->node->ops->dir->release)
		dir->node->ops->dir->release(dir->node, dir->reader);
	kvfs_node_put(dir->node);
	free(dir);
}

int kview_dir_read(struct kview_dir *dir, struct kview_dirent *out)
{
	const struct kvfs_dir_ops *ops = dir->node->ops->dir;
	struct kvfs_dirent entry;
	int ret;

	if (ops->list_on)
		ret = ops->list_on(dir->node, dir->reader, dir->cookie, &entry);
	else
		ret = ops->list(dir->node, dir->cookie, &entry);
	if (ret <= 0)
		return ret;
	memcpy(out->name, entry.name, sizeof(out->name));
	out->kind = kind_of(entry.kind);
	dir->cookie = entry.next;
	return 1;
}

bool kview_dir_missing(struct kview_dir *dir, size_t i, const char **name, const char **reason)
{
	const struct kvfs_dir_ops *ops = dir->node->ops->dir;

	return ops->missing && ops->missing(dir->node, i, name, reason);
}

/* Files. */

static int open_file(struct kview *kview, const char *path, struct kview_file *file)
{
	struct kvfs_err reason;
	int ret = walk(kview, path, true, &file->node);

	if (ret < 0)
		return ret;
	ret = file->node->ops->kind == KVFS_NODE_FILE ? kvfs_node_open(file->node, &file->handle) : -EISDIR;
	if (ret < 0) {
		kvfs_node_put(file->node);
		return ret;
	}
	file->kview = kview;
	file->mode = plan(file->node, &reason);
	return 0;
}

int kview_file_open(struct kview *kview, const char *path, struct kview_file **out, struct kview_error *error)
{
	struct kview_file *file = calloc(1, sizeof(*file));
	int ret = file ? open_file(kview, path, file) : -ENOMEM;

	if (ret < 0) {
		free(file);
		return fail_at(error, ret, path);
	}
	*out = file;
	return 0;
}

void kview_file_close(struct kview_file *file)
{
	if (!file)
		return;
	kvfs_node_release(file->node, file->handle);
	kvfs_node_put(file->node);
	free(file);
}

int kview_file_stat(struct kview_file *file, struct kview_stat *out)
{
	return stat_node(file->node, file->mode, out);
}

bool kview_file_is_stream(struct kview_file *file)
{
	const struct kvfs_blocking_ops *blocking = file->node->ops->file->blocking;

	return blocking && blocking->is_stream(file->node, file->handle);
}

static ssize_t read_some(struct kview_file *file, void *buf, size_t len, uint64_t off)
{
	const struct kvfs_request request = { .what = KVFS_REQUEST_READ, .mode = file->mode };
	const struct kvfs_file_ops *ops = file->node->ops->file;

	if (len > READ_MAX)
		len = READ_MAX;
	if (ops->blocking)
		return ops->blocking->read(file->node, file->handle, &request, buf, len, off);
	return ops->read(file->node, file->handle, buf, len, off);
}

ssize_t kview_file_pread(struct kview_file *file, void *buf, size_t len, uint64_t off)
{
	size_t done = 0;

	if (kview_file_is_stream(file))
		return read_some(file, buf, len, 0);
	if (off > INT64_MAX)
		return -EOVERFLOW;
	if (len > INT64_MAX - off)	/* no file goes on beyond this */
		len = INT64_MAX - off;
	while (done < len) {
		size_t want = len - done < READ_MAX ? len - done : READ_MAX;
		ssize_t n = read_some(file, (char *)buf + done, want, off + done);

		if (n < 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
		if ((size_t)n < want)
			break;
	}
	return (ssize_t)done;
}

int kview_file_seek(struct kview_file *file, uint64_t off, int whence, uint64_t *out)
{
	return kvfs_node_seek(file->node, file->handle, off, whence, out);
}

int kview_file_fd(struct kview_file *file, struct kview_error *error)
{
	const struct kvfs_file_ops *ops = file->node->ops->file;
	struct kvfs_err err = { 0 };
	enum kvfs_mode mode;
	int fd;

	if (!ops->can_back) {
		kvfs_err_set(&err, EOPNOTSUPP, "%s", ops->no_backing);
		return fail(error, &err);
	}
	if (ops->can_back(file->node, &mode, &err) < 0)
		return fail(error, &err);
	pthread_mutex_lock(&file->kview->backing_lock);
	fd = ops->backing(file->node, &err);
	pthread_mutex_unlock(&file->kview->backing_lock);
	return fd < 0 ? fail(error, &err) : fd;
}
