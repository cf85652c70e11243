/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The formats of events, from events/SYSTEM/EVENT/format of tracefs. A kernel has some thousands
 * of formats, and a trace needs a few: each is read when its first event is printed.
 */
#ifndef KVFS_KVIEW_TRACE_FORMATS_H
#define KVFS_KVIEW_TRACE_FORMATS_H

#include <stdint.h>

struct formats;
struct tep_handle;

/* Opens dir/events. Returns 0, -ENOENT if it has no formats, or -errno. dir is not kept. */
int formats_open(const char *dir, struct formats **out);
void formats_close(struct formats *formats);	/* NULL is allowed */

/*
 * Has libtraceevent know the events with that id (common_type). Takes constant time once the
 * format was loaded. Returns 1, 0 if there is no such event, or -errno.
 */
int formats_load(struct formats *formats, struct tep_handle *tep, uint16_t id);

#endif /* KVFS_KVIEW_TRACE_FORMATS_H */
