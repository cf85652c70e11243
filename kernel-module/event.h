/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events: the functions of the kernel after or before which a page may have to be hidden.
 * event.c has the table of them, and is the only file that knows their names.
 */
#ifndef KVIEW_EVENT_H
#define KVIEW_EVENT_H

#include <linux/types.h>

void kview_event_init(void);
void kview_event_exit(void);

u32 kview_event_missing(void);
void kview_event_check(void);

#endif /* KVIEW_EVENT_H */
