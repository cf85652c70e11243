// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/listing.h"

#include <string.h>

#include "fuse/entry.h"
#include "fuse/inode.h"
#include "fuse/server.h"

/*
 * The entry at an offset of the stream, which starts with "." and "..", so that the cookies
 * of the view are moved up by two. Returns 1, 0 at the end, or -errno.
 */
static int list_at(const struct kvfs_handle *handle, uint64_t off, struct kvfs_dirent *entry)
{
	struct kvfs_node *dir = handle->node;
	const struct kvfs_dir_ops *ops = dir->ops->dir;
	int ret;

	if (off < 2) {
		strcpy(entry->name, off == 0 ? "." : "..");
		entry->ino = off == 0 ? dir->ino : dir->parent_ino;
		entry->kind = KVFS_NODE_DIR;
		entry->next = off + 1;
		return 1;
	}
	if (ops->list_on)
		ret = ops->list_on(dir, handle->view, off - 2, entry);
	else
		ret = ops->list(dir, off - 2, entry);
	if (ret > 0)
		entry->next += 2;
	return ret;
}

/*
 * Adds an entry to the answer, looked up for readdirplus. Returns its size, which is more
 * than room if it did not fit.
 */
static size_t add_entry(struct kvfs_ops *ops, fuse_req_t req, struct kvfs_node *dir,
			const struct kvfs_dirent *entry, uint64_t off, bool plus, char *buf, size_t room)
{
	struct fuse_entry_param e = { 0 };
	struct kvfs_node *child;
	size_t len;

	/* A node id of 0 says that this one was not looked up. */
	if (plus && off >= 2 && !dir->ops->dir->huge &&
	    dir->ops->dir->lookup(dir, entry->name, &child) == 0 &&
	    kvfs_entry_fill(ops, child, &e) < 0)
		memset(&e, 0, sizeof(e));
	if (!e.ino) {
		e.attr.st_ino = entry->ino;
		e.attr.st_mode = kvfs_entry_mode(entry->kind);
	}
	if (!plus)
		return fuse_add_direntry(req, buf, room, entry->name, &e.attr, entry->next);
	len = fuse_add_direntry_plus(req, buf, room, entry->name, &e, entry->next);
	if (len > room && e.ino)
		kvfs_inodes_forget(ops->inodes, e.ino, 1);
	return len;
}

ssize_t kvfs_listing_fill(struct kvfs_ops *ops, fuse_req_t req, const struct kvfs_handle *handle,
			  uint64_t off, bool plus, char *buf, size_t size)
{
	struct kvfs_dirent entry;
	size_t used = 0;

	for (;;) {
		int ret = list_at(handle, off, &entry);
		size_t len;

		if (ret <= 0)
			return used > 0 ? (ssize_t)used : ret;
		len = add_entry(ops, req, handle->node, &entry, off, plus, buf + used, size - used);
		if (len > size - used)
			return used;
		used += len;
		off = entry.next;
	}
}
