/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answer to READDIR and READDIRPLUS: the entries of a directory as the kernel wants them.
 */
#ifndef KVFS_FUSE_LISTING_H
#define KVFS_FUSE_LISTING_H

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct kvfs_handle;
struct kvfs_ops;

/*
 * Fills buf, size bytes, with whole entries of an open directory from an offset on: 0, or the
 * offset that an earlier entry gave. With plus, entries are looked up, too, as far as the
 * directory is not huge; an entry whose look-up fails is listed without. Returns the bytes used, 0
 * at the end or if size is too small for one, or -errno if the first entry cannot be listed.
 */
ssize_t kvfs_listing_fill(struct kvfs_ops *ops, fuse_req_t req, const struct kvfs_handle *handle,
			  uint64_t off, bool plus, char *buf, size_t size);

#endif /* KVFS_FUSE_LISTING_H */
