/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The formats of events, as tracefs has them in events/SYSTEM/EVENT/format. A kernel has some
 * thousands, and a trace a few: each is read when an event of it turns up first.
 */
#ifndef KVFS_KVIEW_TRACE_FORMATS_H
#define KVFS_KVIEW_TRACE_FORMATS_H

#include <stdbool.h>
#include <stdint.h>

struct formats;
struct tep_handle;

/* dir: a folder with events/. NULL if there is none, or if out of memory. */
struct formats *formats_open(const char *dir);
void formats_close(struct formats *formats);

/* Has libtraceevent know the events with that id. Returns false if there is no such event. */
bool formats_load(struct formats *formats, struct tep_handle *tep, unsigned int id);

#endif /* KVFS_KVIEW_TRACE_FORMATS_H */
