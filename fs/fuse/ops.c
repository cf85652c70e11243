// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each request has two functions: do_*() finds the answer and returns 0 or -errno, op_*() sends
 * it. op_*() ends with its only reply, or with an if and an else that reply, so that each request
 * is answered exactly once.
 *
 * The valid replies; any other errno is a bug. ops_blocking.c has those of files whose requests
 * may wait.
 *
 *  lookup        entry; EACCES ESTALE ENOTDIR ENOENT ENOTUNIQ ENOMEM, or why the source
 *                cannot be read
 *  getattr       attr; EACCES ESTALE ENOMEM, or why the source cannot be read
 *  readlink      text; EACCES ESTALE EINVAL, or why the target cannot be found
 *  open          open; EACCES ESTALE EISDIR EROFS ENOMEM, or why the source cannot be read
 *  opendir       open; EACCES ESTALE ENOTDIR ENOMEM, or why the source cannot be read
 *  read          bytes; ENOMEM, or why the source cannot be read
 *  readdir[plus] entries; ENOMEM, or why the source cannot be read
 *  lseek         offset; ENXIO EINVAL, or why the source cannot be read
 *  getxattr      bytes or size; EACCES ESTALE ENODATA ERANGE
 *  listxattr     bytes or size; EACCES ESTALE ERANGE
 *  release[dir]  success
 *  statfs        statfs
 *  ioctl         ENOTTY
 *  poll          events
 *  all that would change something: EROFS
 *
 * Access. The kernel checks modes (default_permissions: 0400 and 0500, owner root), and this file
 * checks the caller's user, because a capability that overrides modes is not enough to read kernel
 * memory. As elsewhere in Unix, the check is at open: a process that gets a descriptor from root
 * can read it.
 */
#include "fuse/ops.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "fuse/backing.h"
#include "fuse/entry.h"
#include "fuse/handle.h"
#include "fuse/inode.h"
#include "fuse/listing.h"
#include "fuse/ops_blocking.h"
#include "fuse/readbuf.h"
#include "fuse/xattr.h"

/* Longest answer to readdir that is made in one go, bytes; the kernel just asks again. */
#define READDIR_MAX (64 * 1024)

/* Background requests that the kernel sends without an answer to earlier ones. */
#define MAX_BACKGROUND 4096

static struct kvfs_ops *ops_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static struct kvfs_handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct kvfs_handle *)(uintptr_t)fi->fh;
}

/* The node of ino with a reference, if the caller may use it. */
static int get_node(fuse_req_t req, fuse_ino_t ino, struct kvfs_node **out)
{
	if (fuse_req_ctx(req)->uid != 0)
		return -EACCES;
	*out = kvfs_inodes_get(ops_of(req)->inodes, ino);
	return *out ? 0 : -ESTALE;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct kvfs_ops *ops = userdata;

	kvfs_backing_negotiate(ops->backing, conn);
	/*
	 * Read-ahead and RELEASE are background requests. Beyond this limit the kernel keeps them
	 * back, whatever file they are for (fuse_request_queue_background()): lanes.h does that better.
	 */
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND;
	atomic_store(&ops->initialised, true);
}

static int do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name,
		     struct fuse_entry_param *e)
{
	struct kvfs_node *dir, *node;
	int ret = get_node(req, parent, &dir);

	if (ret < 0)
		return ret;
	if (dir->ops->kind != KVFS_NODE_DIR)
		ret = -ENOTDIR;
	else
		ret = dir->ops->dir->lookup(dir, name, &node);
	kvfs_node_put(dir);
	return ret < 0 ? ret : kvfs_entry_fill(ops_of(req), node, e);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct kvfs_ops *ops = ops_of(req);
	struct fuse_entry_param e;
	int ret = do_lookup(req, parent, name, &e);

	if (ret < 0)
		fuse_reply_err(req, -ret);
	else if (fuse_reply_entry(req, &e) < 0)
		kvfs_inodes_forget(ops->inodes, e.ino, 1);
}

static void forget(struct kvfs_ops *ops, uint64_t ino, uint64_t nlookup)
{
	if (kvfs_inodes_forget(ops->inodes, ino, nlookup))
		kvfs_backing_forget(ops->backing, ino);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	forget(ops_of(req), ino, nlookup);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget(ops_of(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	double timeout = 0;
	struct kvfs_node *node;
	struct stat st;
	int ret = 0;

	/* With a descriptor, as lseek(2) sends it, access was checked at open. fstat(2) sends none. */
	if (fi)
		node = kvfs_node_get(handle_of(fi)->node);
	else
		ret = get_node(req, ino, &node);
	if (ret == 0) {
		ret = kvfs_entry_stat(ops_of(req), node, &st);
		timeout = kvfs_entry_timeout(ops_of(req), node->ops->attr_timeout);
		kvfs_node_put(node);
	}
	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_attr(req, &st, timeout);
}

static int do_readlink(fuse_req_t req, fuse_ino_t ino, char *buf, size_t len)
{
	struct kvfs_node *node;
	int ret = get_node(req, ino, &node);

	if (ret < 0)
		return ret;
	if (node->ops->kind == KVFS_NODE_SYMLINK)
		ret = node->ops->readlink(node, fuse_req_ctx(req)->pid, buf, len);
	else
		ret = -EINVAL;
	kvfs_node_put(node);
	return ret;
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[PATH_MAX];
	int ret = do_readlink(req, ino, target, sizeof(target));

	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_readlink(req, target);
}

/* Files. */

static int do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		   int (*open)(struct kvfs_ops *, struct kvfs_node *, struct fuse_file_info *))
{
	struct kvfs_node *node;
	int ret = get_node(req, ino, &node);

	if (ret < 0)
		return ret;
	ret = open(ops_of(req), node, fi);
	kvfs_node_put(node);
	return ret;
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct kvfs_ops *ops = ops_of(req);
	int ret = do_open(req, ino, fi, kvfs_handle_open_file);

	if (ret < 0)
		fuse_reply_err(req, -ret);
	else if (fuse_reply_open(req, fi) < 0)
		/* The caller was interrupted, so there will be no RELEASE. */
		kvfs_handle_close(ops, handle_of(fi));
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	kvfs_handle_close(ops_of(req), handle_of(fi));
	fuse_reply_err(req, 0);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct kvfs_handle *handle = handle_of(fi);
	struct kvfs_readbuf buf;
	ssize_t ret;

	if (handle->node->ops->file->blocking) {
		kvfs_blocking_read(ops_of(req)->blocking, req, handle, size, off, fi);
		return;
	}
	if (size > KVFS_READBUF_MAX)
		size = KVFS_READBUF_MAX;
	buf = kvfs_readbuf_get(size);
	if (!buf.mem) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	ret = handle->node->ops->file->read(handle->node, handle->view, buf.mem, size, off);
	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_buf(req, buf.mem, ret);
	kvfs_readbuf_put(buf);
}

static void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		     struct fuse_file_info *fi)
{
	struct kvfs_handle *handle = handle_of(fi);
	uint64_t found;
	int ret = kvfs_node_seek(handle->node, handle->view, off, whence, &found);

	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_lseek(req, found);
}

static void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
		     struct fuse_file_info *fi, unsigned int flags, const void *in_buf,
		     size_t in_bufsz, size_t out_bufsz)
{
	struct kvfs_handle *handle = handle_of(fi);

	if (handle->node->ops->kind == KVFS_NODE_FILE && handle->node->ops->file->blocking)
		kvfs_blocking_ioctl(ops_of(req)->blocking, req, handle, cmd);
	else
		fuse_reply_err(req, ENOTTY);
}

static void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		    struct fuse_pollhandle *ph)
{
	struct kvfs_handle *handle = handle_of(fi);

	if (handle->node->ops->kind == KVFS_NODE_FILE && handle->node->ops->file->blocking) {
		kvfs_blocking_poll(ops_of(req)->blocking, req, handle, ph);
		return;
	}
	/* The file is always readable. */
	if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req, POLLIN | POLLRDNORM);
}

/* Directories. */

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct kvfs_ops *ops = ops_of(req);
	int ret = do_open(req, ino, fi, kvfs_handle_open_dir);

	if (ret < 0)
		fuse_reply_err(req, -ret);
	else if (fuse_reply_open(req, fi) < 0)
		kvfs_handle_close(ops, handle_of(fi));
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	kvfs_handle_close(ops_of(req), handle_of(fi));
	fuse_reply_err(req, 0);
}

static void reply_readdir(fuse_req_t req, size_t size, off_t off, struct fuse_file_info *fi,
			  bool plus)
{
	ssize_t ret;
	char *buf;

	if (size > READDIR_MAX)
		size = READDIR_MAX;
	buf = malloc(size);
	ret = buf ? kvfs_listing_fill(ops_of(req), req, handle_of(fi), off, plus, buf, size) : -ENOMEM;
	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_buf(req, buf, ret);
	free(buf);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	reply_readdir(req, size, off, fi, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			   struct fuse_file_info *fi)
{
	reply_readdir(req, size, off, fi, true);
}

/* Extended attributes. */

static void reply_xattr(fuse_req_t req, ssize_t len, const char *buf, size_t size)
{
	if (len < 0)
		fuse_reply_err(req, -len);
	else if (size == 0)
		fuse_reply_xattr(req, len);
	else if ((size_t)len > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, buf, len);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	char value[KVFS_XATTR_MAX];
	struct kvfs_node *node;
	ssize_t len = get_node(req, ino, &node);

	if (len == 0) {
		len = kvfs_xattr_get(ops_of(req)->backing, node, name, value);
		kvfs_node_put(node);
	}
	reply_xattr(req, len, value, size);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	char names[KVFS_XATTR_MAX];
	struct kvfs_node *node;
	ssize_t len = get_node(req, ino, &node);

	if (len == 0) {
		len = kvfs_xattr_list(ops_of(req)->backing, node, names);
		kvfs_node_put(node);
	}
	reply_xattr(req, len, names, size);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	const struct statvfs st = {
		.f_bsize = 4096,
		.f_frsize = 4096,
		.f_namemax = 255,
	};

	fuse_reply_statfs(req, &st);
}

/*
 * Requests that would change something. They arrive only if the mount was remounted writable.
 * Without these functions libfuse would reply ENOSYS.
 */

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	fuse_reply_err(req, EROFS);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	fuse_reply_err(req, EROFS);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	fuse_reply_err(req, EROFS);
}

/* unlink and rmdir */
static void op_remove(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, EROFS);
}

static void op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, EROFS);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
		      const char *newname, unsigned int flags)
{
	fuse_reply_err(req, EROFS);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname)
{
	fuse_reply_err(req, EROFS);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	fuse_reply_err(req, EROFS);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	fuse_reply_err(req, EROFS);
}

static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
			 struct fuse_file_info *fi)
{
	fuse_reply_err(req, EROFS);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
			size_t size, int flags)
{
	fuse_reply_err(req, EROFS);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	fuse_reply_err(req, EROFS);
}

/*
 * Left out on purpose, as ENOSYS is the right answer, given once for the whole mount: flush,
 * fsync and fsyncdir (nothing is to be written), access (default_permissions), locks (the
 * kernel keeps them itself), bmap, copy_file_range.
 */
const struct fuse_lowlevel_ops kvfs_ops_table = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.readlink = op_readlink,
	.open = op_open,
	.release = op_release,
	.read = op_read,
	.lseek = op_lseek,
	.ioctl = op_ioctl,
	.poll = op_poll,
	.opendir = op_opendir,
	.releasedir = op_releasedir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.statfs = op_statfs,
	.setattr = op_setattr,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_remove,
	.rmdir = op_remove,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.create = op_create,
	.write = op_write,
	.fallocate = op_fallocate,
	.setxattr = op_setxattr,
	.removexattr = op_removexattr,
};
