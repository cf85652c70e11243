/* SPDX-License-Identifier: GPL-2.0-only */
/* The control device, /dev/kview. */
#ifndef KVIEW_CTL_H
#define KVIEW_CTL_H

int kview_ctl_init(void);
void kview_ctl_exit(void);

#endif /* KVIEW_CTL_H */
