/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What came of reading some pages or blocks of a dump. One that could not be read is either
 * - damaged: the dump's bytes for it are wrong. That does not change, so it is counted and cached;
 * - unavailable: the file system or this machine could not deliver it (EIO, ENOMEM, EMFILE). Nothing
 *   is counted or cached, and the next read tries again.
 * As a return value, damaged is -EBADMSG and unavailable is any other -errno.
 */
#ifndef KVFS_DUMP_RESULT_H
#define KVFS_DUMP_RESULT_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

/* Masks: bit i is page or block i. All zero: everything was read. */
struct kvfs_dump_result {
	uint64_t damaged;
	uint64_t unavailable;
	int error;		/* -errno of the unavailable one that was noted first; 0 if there is none */
};

/* Notes the return value of reading page or block i (below 64). */
static inline void kvfs_dump_result_note(struct kvfs_dump_result *r, size_t i, int ret)
{
	if (ret == -EBADMSG)
		r->damaged |= 1ULL << i;
	else if (ret < 0)
		r->unavailable |= 1ULL << i;
	if (ret < 0 && ret != -EBADMSG && r->error == 0)
		r->error = ret;
}

/* Adds part, the result of what begins at page or block first (below 64) of r. */
static inline void kvfs_dump_result_merge(struct kvfs_dump_result *r, const struct kvfs_dump_result *part,
					  size_t first)
{
	r->damaged |= part->damaged << first;
	r->unavailable |= part->unavailable << first;
	if (r->error == 0)
		r->error = part->error;
}

/*
 * Reads exactly [off, off + len) of fd into buf. Returns 0, -EBADMSG if the file ends before, or
 * the -errno of pread(2), with EIO in place of EBADMSG, which a file system uses for its checksums.
 */
int kvfs_dump_pread(int fd, void *buf, size_t len, uint64_t off);

#endif /* KVFS_DUMP_RESULT_H */
