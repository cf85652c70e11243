/* SPDX-License-Identifier: GPL-2.0-only */
/* ->read_iter of a view. */
#ifndef KVIEW_READ_H
#define KVIEW_READ_H

#include <linux/types.h>

struct iov_iter;
struct kiocb;

ssize_t kview_read_iter(struct kiocb *iocb, struct iov_iter *to);

#endif /* KVIEW_READ_H */
