/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads of /proc/kcore, answered from mappings of kcore/ram and kcore/text of a mount:
 *
 *   RAM and the kernel image        by the program headers of /proc/kcore
 *   vmalloc, modules, vmemmap       by the kernel's page tables, walked in the mapped RAM
 *   everything else                 by the kernel: headers and notes, holes, device memory
 *
 * Nothing is made up. Only what a page table or a program header places in RAM is copied, and
 * a page that reads as zeros is read from the kernel instead, since the module shows a hidden
 * page (offline, poisoned, ballooned, secret) as zeros until it judges the page again.
 *
 * Any number of threads may read. The common path takes no lock, allocates nothing and makes
 * no system call.
 */
#ifndef KVFS_KVIEW_EXEC_MEMORY_H
#define KVFS_KVIEW_EXEC_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Maps the files and reads the headers of /proc/kcore, once for the process. fd is an open
 * /proc/kcore, borrowed. Returns whether reads can be answered, from now on: not if the mount is
 * not there or not in mode direct.
 */
bool kvfs_memory_ready(int fd);

/*
 * As pread(2) of fd, which is /proc/kcore: the bytes read or -errno. It fails and comes up short
 * where the kernel does. A bad buf is a SIGSEGV where the kernel would say EFAULT.
 */
ssize_t kvfs_memory_pread(int fd, void *buf, size_t len, uint64_t off);

/* As pread(2) of fd by the kernel alone; preads of one descriptor take turns. */
ssize_t kvfs_memory_pread_kernel(int fd, void *buf, size_t len, uint64_t off);

/* In the child of a fork(2): no other thread is left. */
void kvfs_memory_forked(void);

#endif /* KVFS_KVIEW_EXEC_MEMORY_H */
