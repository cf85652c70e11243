/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which descriptors are /proc/kcore, and the file position of those that are read by read(2).
 *
 * The table is a cache. A descriptor is judged by fstat(2) and fstatfs(2) when it is first
 * read, never by the name that it was opened by: /dev/core is a link to /proc/kcore, and drgn
 * can get its descriptor from another process. Whatever may change what a number stands for
 * makes it unknown again. That is safe in a vfork(2) child as well, which shares the table.
 *
 * The position is the library's own as long as the descriptor is the only one of its open
 * file; fork(2), dup(2) and their kin share it, so from then on the kernel keeps it.
 */
#ifndef KVFS_KVIEW_EXEC_FDS_H
#define KVFS_KVIEW_EXEC_FDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether fd is /proc/kcore and its reads can be answered from memory (memory.h). */
bool kvfs_fds_is_kcore(int fd);

/* fd was opened by this process just now: its position is 0, and not shared. */
void kvfs_fds_opened(int fd);

/* fd is, or may be about to be, something else. The kernel gets the position first. */
void kvfs_fds_forget(int fd);
/* The same for [first, last]. */
void kvfs_fds_forget_range(unsigned int first, unsigned int last);

/* The open file of fd is, or is about to be, shared: the kernel keeps its position from now on. */
void kvfs_fds_share(int fd);
/* The same for all, before fork(2) and execve(2). */
void kvfs_fds_share_all(void);

/* read(2) of a descriptor that kvfs_fds_is_kcore(), at its position. */
ssize_t kvfs_fds_read(int fd, void *buf, size_t len);

/*
 * lseek(2) of a descriptor that kvfs_fds_is_kcore(). Returns the position or -errno, as
 * default_llseek() (fs/read_write.c), which /proc/kcore uses.
 */
int64_t kvfs_fds_lseek(int fd, int64_t off, int whence);

#endif /* KVFS_KVIEW_EXEC_FDS_H */
