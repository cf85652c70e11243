/* SPDX-License-Identifier: GPL-2.0-only */
/* Follows memory that goes online and offline. */
#ifndef KVIEW_HOTPLUG_H
#define KVIEW_HOTPLUG_H

int kview_hotplug_init(void);
void kview_hotplug_exit(void);

#endif /* KVIEW_HOTPLUG_H */
