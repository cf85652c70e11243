/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The length of a CPU's ring, from files of tracefs that open no ring: nothing is mapped, and a
 * resize of the ring succeeds meanwhile.
 *
 * The rule is that of ring_buffer_resize() and rb_setup_ids_meta_page() (kernel/trace/
 * ring_buffer.c, 6.12). A sub-buffer has 16 bytes of header. The ring has as many sub-buffers as
 * hold per_cpu/cpuN/buffer_size_kb, at least 2, and one more for the reader. The meta page
 * takes the room of another one. buffer_size_kb is what the whole sub-buffers hold, rounded down
 * to KiB, from which their number follows exactly.
 *
 * One case is not exact: writing buffer_subbuf_size_kb changes the number of sub-buffers and
 * leaves buffer_size_kb as it was, until that is written too (buffer_subbuf_size_write(), 6.18).
 */
#ifndef KVFS_TRACE_SIZE_H
#define KVFS_TRACE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes of a ring, from files of tracefs. */
struct kvfs_trace_size {
	uint64_t size_kib;	/* buffer_size_kb */
	uint64_t subbuf_kib;	/* buffer_subbuf_size_kb, or a page before Linux 6.8 */
	bool exists;		/* false: the CPU is offline, and its ring has counted no event */
	uint64_t len;		/* bytes, meta page included; 0 if it does not exist */
};

/*
 * Loads the size of the ring in the folder dir, INSTANCE/per_cpu/cpuN. online: a file that
 * lists the CPUs that are online, as /sys/devices/system/cpu/online does; if there is no such
 * file, all count as online.
 *
 * The kernel makes the ring of a CPU when it comes online first, and tracefs does not show
 * whether that has happened. So an offline CPU's ring counts as missing as long as its counters
 * (stats) are 0.
 *
 * Returns 0, -ENOENT if the instance is gone, -EPERM under lockdown=confidentiality, -EBADMSG if a
 * file has another form, or why a file cannot be read.
 */
int kvfs_trace_size_load(const char *dir, unsigned int cpu, const char *online,
			 struct kvfs_trace_size *out);

/* Pure. Tells whether tracefs had the same both times. */
bool kvfs_trace_size_equal(const struct kvfs_trace_size *a, const struct kvfs_trace_size *b);

/* Pure. Bytes of a ring that exists, with 1 to 8,192 KiB a sub-buffer; 0 if that exceeds 63 bits. */
uint64_t kvfs_trace_size_len(uint64_t size_kib, uint64_t subbuf_kib);

/* Pure. Tells whether a list as "0-3,8\n" has a number. Returns 1, 0, or -EBADMSG. */
int kvfs_trace_size_list_has(const char *list, unsigned int number);

#endif /* KVFS_TRACE_SIZE_H */
